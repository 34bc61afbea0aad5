//! Functions that have several bodies, each for arguments of its own.

use super::{Json, JsonMap};

/// What came of a function's overloads, by the names of their files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OverloadResults {
    pub successful: Vec<String>,
    pub failed: Vec<String>,
}

/// One overload of a function: what it takes and gives in the place of the function's own.
#[derive(Debug, Clone, Copy)]
pub struct Overload<'a>(&'a Json);

impl<'a> Overload<'a> {
    /// Those of a function with these properties.
    pub fn all(body: &'a JsonMap) -> impl Iterator<Item = Self> {
        body.get("overloads").and_then(Json::as_array).into_iter().flatten().map(Self)
    }

    /// The name of the file that holds its body.
    pub fn defined_in(self) -> &'a str {
        self.0.get("defined_in").and_then(Json::as_str).unwrap_or_default()
    }

    /// Its body as written.
    pub fn raw_body(self) -> &'a str {
        self.0.get("raw_body").and_then(Json::as_str).unwrap_or_default()
    }

    /// The function's properties with this overload's arguments, and what it returns where it says so.
    pub fn applied_to(self, body: &JsonMap) -> JsonMap {
        let mut body = body.clone();
        for key in ["arguments", "returns"] {
            if let Some(own) = self.0.get(key).filter(|own| !own.is_null()) {
                body.insert(key.to_owned(), own.clone());
            }
        }
        body
    }
}
