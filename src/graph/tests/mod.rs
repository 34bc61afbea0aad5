//! A small made-up project, and what is chosen of it.

mod order;
mod properties;
mod selecting;
mod shop;
mod yaml_selectors;
