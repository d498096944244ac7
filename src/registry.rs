//! Model versions on disk: immutable, checksummed, with one mutable champion pointer and an audit log.
