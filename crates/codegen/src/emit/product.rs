//! `product.rs`: what a program includes to have everything that was generated. It is the same for every API.

/// Includes the other files, and ties the typed client to the runtime.
pub(crate) const TEXT: &str = include_str!("product.rs.txt");
