//! How we know that content is served as promised.
