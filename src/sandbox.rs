//! The embedded AWS: a loopback server that speaks the real wire protocols.
