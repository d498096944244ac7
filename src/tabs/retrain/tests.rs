//! Keys in, effects out; what is drawn is looked at in `tests/it/screens`.

#![allow(clippy::unwrap_used)]
