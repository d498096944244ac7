//! The log store: an append-only spool on disk, a compact index in memory, and the requests joined from it.
