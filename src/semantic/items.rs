//! What filters, groupings and orders of the semantic layer name: `{{ Dimension('order__ordered_at').grain('day') }}`.

use std::sync::{Arc, Mutex, PoisonError};

use super::GRANULARITIES;
use crate::diagnostic::SourceText;
use crate::jinja::{self, Args, Cx, Engine, Error, Host, Instance, Message, Template, Undefined, Value};
use crate::manifest::MacroRegistry;

/// The time dimension that every metric has.
const METRIC_TIME: &str = "metric_time";

const DATE_PARTS: [&str; 6] = ["year", "quarter", "month", "day", "dow", "doy"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    Dimension,
    TimeDimension,
    Entity,
    Metric,
}

impl ItemKind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "Dimension" => Self::Dimension,
            "TimeDimension" => Self::TimeDimension,
            "Entity" => Self::Entity,
            "Metric" => Self::Metric,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Dimension => "Dimension",
            Self::TimeDimension => "TimeDimension",
            Self::Entity => "Entity",
            Self::Metric => "Metric",
        }
    }

    fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::Dimension => &["name", "entity_path"],
            Self::TimeDimension => {
                &["time_dimension_name", "time_granularity_name", "entity_path", "descending", "date_part_name"]
            }
            Self::Entity => &["entity_name", "entity_path"],
            Self::Metric => &["metric_name", "group_by"],
        }
    }
}

/// Where an item stands: what may be said of it differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Filter,
    OrderBy,
}

/// One item as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    pub kind: ItemKind,
    /// With the entities before it: `order__ordered_at`.
    pub name: String,
    pub entity_path: Vec<String>,
    pub grain: Option<String>,
    pub date_part: Option<String>,
    /// Of a metric in a filter.
    pub group_by: Vec<String>,
    pub descending: Option<bool>,
}

impl Item {
    /// The name without entities and granularity. Err where the name is none, or says another granularity than the call does.
    pub fn element(&self, custom: &[String], place: Place) -> Result<(String, Option<String>), String> {
        let is_time = self.kind == ItemKind::TimeDimension
            || (self.kind == ItemKind::Dimension && (self.grain.is_some() || self.date_part.is_some()));
        let (links, element, grain) = parts(&self.name, if is_time { custom } else { &[] });
        match self.kind {
            ItemKind::Dimension | ItemKind::TimeDimension if links != 1 && element != METRIC_TIME => Err(format!(
                "Name is in an incorrect format: '{}'. It should be of the form: <primary entity name>__<dimension_name>",
                self.name
            )),
            ItemKind::Dimension | ItemKind::TimeDimension => match (grain, &self.grain) {
                (Some(named), Some(said)) if is_time && named != *said => Err(format!(
                    "'{}' says the granularity '{named}', but '{said}' is asked for: take it out of the name",
                    self.name
                )),
                (named, said) => {
                    Ok((element, named.filter(|_| is_time).or_else(|| said.clone()).map(|grain| grain.to_lowercase())))
                }
            },
            ItemKind::Entity if grain.is_some() => {
                Err(format!("Name is in an incorrect format: '{}'. It should not contain a time grain suffix.", self.name))
            }
            ItemKind::Metric if place == Place::Filter && self.group_by.is_empty() => {
                Err("`group_by` parameter is required for Metric in where filter.".to_owned())
            }
            ItemKind::Entity => Ok((element, None)),
            ItemKind::Metric => Ok((self.name.clone(), None)),
        }
    }

    /// What must hold before any look at the name's parts.
    fn check(&self) -> Result<(), Error> {
        if self.kind == ItemKind::Metric && parts(&self.name, &[]).0 > 0 {
            return Err(Error::compilation("The name of the metric should not have entity links."));
        }
        match self.date_part.as_deref() {
            Some(part) if !DATE_PARTS.contains(&part.to_lowercase().as_str()) => {
                Err(Error::compilation(format!("'{part}' is not a valid date part: there are {}", DATE_PARTS.join(", "))))
            }
            _ => Ok(()),
        }
    }
}

/// `listing__ds__month`: how many entities come first, the element, and the granularity at the end.
fn parts(name: &str, custom: &[String]) -> (usize, String, Option<String>) {
    let mut parts: Vec<&str> = name.split("__").collect();
    let is_grain = |last: &str| GRANULARITIES.contains(&last) || custom.iter().any(|own| own == last);
    let grain = if parts.len() > 1 && parts.last().is_some_and(|last| is_grain(last)) { parts.pop() } else { None };
    let element = parts.pop().unwrap_or_default().to_owned();
    (parts.len(), element, grain.map(str::to_owned))
}

/// Reads and renders templates; none of a project's macros is known in them.
pub struct Items {
    engine: Engine,
}

impl Default for Items {
    fn default() -> Self {
        Self { engine: Engine::new(Arc::new(MacroRegistry::default())) }
    }
}

impl Items {
    /// The items that a template prints, each once. Err: why it cannot be rendered.
    pub fn read(&self, template: &str, place: Place) -> Result<Vec<Item>, String> {
        let found = Arc::new(Mutex::new(Vec::new()));
        self.render(template, &Sink::Collect(found.clone(), place))?;
        let mut all = found.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *all))
    }

    /// The template with the name of a column for each item: `order__ordered_at__day`.
    pub fn sql(&self, template: &str) -> Result<String, String> {
        self.render(template, &Sink::Name)
    }

    fn render(&self, template: &str, sink: &Sink) -> Result<String, String> {
        let template = Template::whole(SourceText::new("filter", template));
        let rendered = self.engine.render(&template, Arc::new(Names { sink: sink.clone() }));
        rendered.map_err(|error| error.message)
    }
}

/// What becomes of an item that is printed.
#[derive(Debug, Clone)]
enum Sink {
    /// Kept; nothing is printed.
    Collect(Arc<Mutex<Vec<Item>>>, Place),
    Name,
}

/// The four functions, and nothing else.
struct Names {
    sink: Sink,
}

impl Host for Names {
    fn package(&self) -> &'static str {
        ""
    }

    fn global(&self, name: &str) -> Option<Value> {
        let kind = ItemKind::named(name)?;
        let sink = self.sink.clone();
        Some(jinja::function(name, move |_, args| {
            let item = item(kind, &args)?;
            item.check()?;
            Ok(jinja::instance(Arc::new(Builder { item, sink: sink.clone() })))
        }))
    }

    fn undefined(&self) -> Undefined {
        Undefined::Strict
    }

    fn message(&self, _message: Message) -> Result<(), Error> {
        Ok(())
    }
}

fn item(kind: ItemKind, args: &Args) -> Result<Item, Error> {
    let parameters = kind.parameters();
    args.only(kind.name(), parameters)?;
    let text = |wanted: &str| parameters.iter().position(|name| *name == wanted).and_then(|at| args.text(at, wanted));
    let texts = |wanted: &str| -> Vec<String> {
        let value = parameters.iter().position(|name| *name == wanted).and_then(|at| args.given(at, wanted));
        value.and_then(jinja::items).unwrap_or_default().iter().map(jinja::text).collect()
    };
    let name = args.required(kind.name(), 0, parameters[0])?;
    Ok(Item {
        kind,
        name: jinja::text(name),
        entity_path: texts("entity_path"),
        grain: text("time_granularity_name"),
        date_part: text("date_part_name"),
        group_by: texts("group_by"),
        descending: if kind == ItemKind::TimeDimension { args.truth(3, "descending") } else { None },
    })
}

/// An item on its way through `.grain(…)` and the like.
#[derive(Debug)]
struct Builder {
    item: Item,
    sink: Sink,
}

impl Builder {
    fn allows(&self, method: &str) -> bool {
        match (&self.sink, self.item.kind) {
            (Sink::Name, _) | (_, ItemKind::Dimension) => true,
            (Sink::Collect(_, place), _) => *place == Place::OrderBy && method == "descending",
        }
    }
}

impl Instance for Builder {
    fn type_name(&self) -> &str {
        self.item.kind.name()
    }

    fn call_method(&self, _cx: &mut Cx<'_>, name: &str, args: Args) -> Result<Value, Error> {
        if !matches!(name, "grain" | "date_part" | "descending") {
            return Err(Error::missing_method(self.type_name(), name));
        }
        if !self.allows(name) {
            let message = format!("`{name}` can't be used with `{}` in this context.", self.type_name());
            return Err(Error::compilation(message));
        }
        let mut item = self.item.clone();
        let given = args.positional.first().or_else(|| args.keyword.values().next());
        let Some(given) = given.filter(|_| args.positional.len() + args.keyword.len() == 1) else {
            return Err(Error::compilation(format!("{name}() takes one argument")));
        };
        match name {
            "descending" => item.descending = Some(given.is_true()),
            // The name of a column ends with one of the two: the last.
            _ if matches!(self.sink, Sink::Name) => item.grain = Some(jinja::text(given)),
            "grain" => item.grain = Some(jinja::text(given)),
            _ => item.date_part = Some(jinja::text(given)),
        }
        item.check()?;
        Ok(jinja::instance(Arc::new(Self { item, sink: self.sink.clone() })))
    }

    fn text(&self) -> String {
        match &self.sink {
            Sink::Collect(found, _) => {
                let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                if !found.contains(&self.item) {
                    found.push(self.item.clone());
                }
                String::new()
            }
            Sink::Name => {
                let mut parts = self.item.entity_path.clone();
                parts.push(self.item.name.clone());
                parts.extend(self.item.grain.as_ref().filter(|grain| !grain.is_empty()).map(|grain| grain.to_lowercase()));
                parts.join("__")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Items, Place};

    #[test]
    fn names_of_columns_stand_for_items() {
        let sql = |template: &str| Items::default().sql(template);
        assert_eq!(
            sql("{{ Dimension('order__status') }} = 'x' and {{ TimeDimension('order__at', 'DAY') }} > '2020-01-01'"),
            Ok("order__status = 'x' and order__at__day > '2020-01-01'".to_owned())
        );
        assert_eq!(sql("{{ Dimension('o__at', entity_path=['u']).grain('week') }}"), Ok("u__o__at__week".to_owned()));
        assert_eq!(sql("{{ Entity('user') }} + {{ Metric('revenue', group_by=['user']) }}"), Ok("user + revenue".to_owned()));
        assert!(sql("{{ Dimensio('x') }}").is_err());
    }

    #[test]
    fn items_are_checked_where_they_stand() {
        let read = |template: &str| {
            let items = Items::default().read(template, Place::Filter)?;
            items.iter().map(|item| item.element(&["fiscal".to_owned()], Place::Filter)).collect::<Result<Vec<_>, _>>()
        };
        let one = |element: &str, grain: Option<&str>| Ok(vec![(element.to_owned(), grain.map(str::to_owned))]);
        assert_eq!(read("{{ Dimension('o__at').grain('Day') }} > {{ Dimension('o__at').grain('Day') }}"), one("at", Some("day")));
        assert_eq!(read("{{ TimeDimension('o__at__fiscal') }}"), one("at", Some("fiscal")));
        assert_eq!(read("{{ TimeDimension('metric_time', 'month') }}"), one("metric_time", Some("month")));
        assert_eq!(read("{{ Entity('user') }}"), one("user", None));
        for wrong in [
            "{{ Dimension('status') }}",
            "{{ TimeDimension('o__at__day', 'week') }}",
            "{{ TimeDimension('o__at').grain('day') }}",
            "{{ Entity('user__day') }}",
            "{{ Metric('revenue') }}",
            "{{ Metric('a__revenue', ['x']) }}",
            "{{ Dimension('o__at').date_part('century') }}",
            "{{ Dimension('o__at', 'a', 'b') }}",
            "{{ Dimension('o__at' }}",
            "{{ status }} = 1",
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
