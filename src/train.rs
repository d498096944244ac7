//! Training: data in, model out. Synchronous and CPU-bound; progress goes through a callback that may stop it.
