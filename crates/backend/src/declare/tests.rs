//! How we know that declarations are read as promised: a declaration, and the mistakes found in it.
