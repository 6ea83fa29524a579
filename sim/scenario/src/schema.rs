//! The JSON Schema (draft-07) of scenarios, made from the table of words.
//!
//! An editor shows the table's sentences as hints and completes its words. The schema is a little
//! wider than the language: names, units and expressions are checked by `ipcsim lint`.

use ipcsim_kernel::Outcome;
use ipcsim_kernel::object::port::LARGEST_QUEUE_LIMIT;
use serde_json::{Map, Value, json};

use crate::lecture::SLIDES;
use crate::table::{
    self, COSTS, FILE, GRANT, KERNEL, Key, Kind, MEASURES, Need, PROCESS, SCHEDULE_OUTCOMES,
    Section, THREAD, TRANSFER, VERBS, Verb, WAKE, WAKES,
};
use crate::word::RESERVED;

const NAME: &str = "^[A-Za-z_][A-Za-z0-9_]*(-[A-Za-z_][A-Za-z0-9_]*)*$";
const DURATION: &str = "^[0-9]+(ns|us|ms|s)$";
const SIZE: &str = "^[0-9]+(B|KiB|MiB|GiB)$";
const CAPACITY: &str = "^(none|undefined|unlimited|[0-9]+(B|KiB|MiB|GiB))$";
const MODE: &str = "^0?[0-7]{3}$";

/// The schema, as pretty-printed JSON with a line break at the end.
pub fn schema() -> String {
    let mut properties = Map::new();
    for key in table::TOP {
        properties.insert(key.name.into(), described(top(key.name), key.doc));
    }
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "An ipcsim scenario",
        "type": "object",
        "additionalProperties": false,
        "required": required(table::TOP),
        "properties": properties,
        "definitions": {
            "steps": { "type": "array", "minItems": 1, "items": { "$ref": "#/definitions/step" } },
            "no-steps": { "type": "array", "items": { "$ref": "#/definitions/step" } },
            "step": step(),
            "expression": { "type": ["string", "number", "boolean", "array"] },
        }
    });
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain data");
    text.push('\n');
    text
}

fn top(name: &str) -> Value {
    let named = |content: Value| json!({ "type": "object", "propertyNames": name_of_its_own(), "additionalProperties": content });
    match name {
        "kernel" => object(KERNEL),
        "files" => json!({
            "type": "object",
            "propertyNames": { "pattern": "^/.*[^/]$" },
            "additionalProperties": object(FILE),
        }),
        "processes" => {
            let mut processes = named(json!({ "oneOf": [steps(), process()] }));
            processes["minProperties"] = 1.into();
            processes
        }
        "expect" => json!({ "type": "array", "items": claim() }),
        "slide" => json!({ "type": "string", "examples": SLIDES }),
        name => match Section::from_key(name) {
            Some(section) => named(object(section.keys())),
            None => json!({ "type": "string" }),
        },
    }
}

/// A name that an author may choose.
fn name_of_its_own() -> Value {
    json!({ "pattern": NAME, "not": { "enum": RESERVED } })
}

/// A process says what it does in one way only.
fn process() -> Value {
    let mut process = object(PROCESS);
    process["oneOf"] =
        ["do", "program", "threads"].iter().map(|key| json!({ "required": [key] })).collect();
    process
}

fn described(mut schema: Value, doc: &str) -> Value {
    if let Value::Object(object) = &mut schema {
        object.insert("description".into(), doc.into());
    }
    schema
}

fn required(keys: &[Key]) -> Vec<&'static str> {
    keys.iter().filter(|key| key.need == Need::Required).map(|key| key.name).collect()
}

fn properties(keys: impl Iterator<Item = &'static Key>) -> Map<String, Value> {
    keys.map(|key| (key.name.to_string(), described(kind(key.kind), key.doc))).collect()
}

/// A mapping with the keys of a table.
fn object(keys: &'static [Key]) -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": required(keys),
        "properties": properties(keys.iter()),
    })
}

fn steps() -> Value {
    json!({ "$ref": "#/definitions/steps" })
}

/// Steps, or none: a way to do nothing.
fn no_steps() -> Value {
    json!({ "$ref": "#/definitions/no-steps" })
}

/// A step: one verb with its keys, or the bare word of a verb that takes nothing.
fn step() -> Value {
    let bare = VERBS.iter().filter(|verb| verb.operand == Kind::Nothing).map(Verb::name);
    let mut forms = vec![json!({ "enum": bare.collect::<Vec<_>>() })];
    forms.extend(VERBS.iter().map(verb_form));
    json!({ "oneOf": forms })
}

fn verb_form(verb: &'static Verb) -> Value {
    let mut all = properties(verb.all_keys());
    all.insert(verb.name().into(), described(kind(verb.operand), verb.doc));
    let mut needed = vec![verb.name()];
    needed.extend(required(verb.keys));
    let mut form = json!({
        "type": "object",
        "description": verb.doc,
        "additionalProperties": false,
        "required": needed,
        "properties": all,
    });
    if verb.name() == "spawn" {
        form["oneOf"] = json!([{ "required": ["do"] }, { "required": ["program"] }]);
    }
    form
}

fn kind(kind: Kind) -> Value {
    let expression = || json!({ "$ref": "#/definitions/expression" });
    match kind {
        Kind::Nothing => json!({ "type": "null" }),
        Kind::Prose
        | Kind::Declared(_)
        | Kind::Threads
        | Kind::Target
        | Kind::Message
        | Kind::Holder => {
            json!({ "type": "string" })
        }
        Kind::NewName | Kind::Variable(_) => {
            json!({ "type": "string", "pattern": NAME, "not": { "enum": RESERVED } })
        }
        Kind::Mode => json!({ "type": "string", "pattern": MODE }),
        Kind::Text => json!({ "type": ["string", "number", "boolean"] }),
        Kind::Body | Kind::Expression => expression(),
        Kind::Bodies => json!({ "type": "array", "items": expression() }),
        Kind::Sources | Kind::Victims | Kind::Holders | Kind::Ports => {
            json!({ "oneOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] })
        }
        Kind::Assignments | Kind::Parameters => json!({
            "type": "object",
            "propertyNames": name_of_its_own(),
            "additionalProperties": expression(),
        }),
        Kind::Number | Kind::Count => json!({ "type": ["integer", "string"] }),
        Kind::Time => json!({ "type": "string", "examples": ["5ms", "2ms..5ms"] }),
        Kind::Wait => json!({ "type": "string", "examples": ["forever", "never", "5ms"] }),
        Kind::Size => json!({ "type": "string", "examples": ["64B", "4KiB"] }),
        Kind::FixedSize => json!({ "type": "string", "pattern": SIZE }),
        Kind::Memory => json!({ "type": "string", "examples": ["unlimited", "4KiB"] }),
        Kind::Capacity => {
            json!({ "oneOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": CAPACITY }], "examples": ["none", 1, "4KiB", "undefined", "unlimited"] })
        }
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Seed => json!({ "type": "integer", "minimum": 0 }),
        Kind::Positive(limit) => json!({ "type": "integer", "minimum": 1, "maximum": limit }),
        Kind::Integer => json!({ "type": "integer" }),
        Kind::Duration => json!({ "type": "string", "pattern": DURATION }),
        Kind::Steps => steps(),
        Kind::Branches => json!({ "type": "array", "minItems": 1, "items": no_steps() }),
        Kind::Handlers => handlers(),
        Kind::ThreadTable => threads(),
        Kind::Entries => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
        Kind::QueueLimit => {
            json!({ "type": "integer", "minimum": 0, "maximum": LARGEST_QUEUE_LIMIT })
        }
        Kind::Rights => json!({ "type": "array", "items": object(GRANT) }),
        Kind::Transfers => {
            json!({ "oneOf": [object(TRANSFER), { "type": "array", "items": object(TRANSFER) }] })
        }
        Kind::Wake => json!({ "oneOf": [{ "enum": WAKES }, object(WAKE)] }),
        Kind::Costs => object(COSTS),
    }
}

fn handlers() -> Value {
    let handled = |outcome: &Outcome| (outcome.word().to_string(), no_steps());
    let outcomes: Map<String, Value> = Outcome::ALL.iter().map(handled).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": outcomes })
}

fn threads() -> Value {
    json!({
        "type": "object",
        "minProperties": 1,
        "propertyNames": name_of_its_own(),
        "additionalProperties": { "oneOf": [steps(), object(THREAD)] },
    })
}

/// A claim: what it quantifies over, what it says, and its other keys.
fn claim() -> Value {
    let bounds: Map<String, Value> = MEASURES
        .iter()
        .map(|measure| (measure.name.to_string(), json!({ "type": ["string", "integer"] })))
        .collect();
    let bounds = json!({ "type": "object", "additionalProperties": false, "properties": bounds });
    let one = |name: &str, content: Value| json!({ "type": "object", "additionalProperties": false, "required": [name], "properties": { name: content } });
    let outcome = json!({ "enum": SCHEDULE_OUTCOMES });
    let condition = json!({ "type": ["string", "boolean"] });
    let lines = json!({ "type": "array", "items": { "type": ["string", "integer", "boolean"] } });
    let logs =
        json!({ "oneOf": [lines, one("any-of", json!({ "type": "array", "items": lines }))] });
    let outcomes = json!({ "oneOf": [outcome, { "type": "array", "items": outcome }] });
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "run": { "oneOf": [
                outcome,
                one("at-most", bounds.clone()),
                one("at-least", bounds),
                one("logs", logs.clone()),
            ] },
            "every-schedule": { "oneOf": [
                outcome,
                one("always", condition.clone()),
                one("eventually", condition.clone()),
                one("never", outcomes),
                one("logs", logs.clone()),
            ] },
            "some-schedule": { "oneOf": [outcome, one("eventually", condition), one("logs", logs)] },
            "blocked": { "type": "array", "items": { "type": "string" } },
            "with": { "type": "object" },
            "because": { "type": "string" },
            "within": { "type": "integer", "minimum": 1 },
        },
        "oneOf": [
            { "required": ["run"] },
            { "required": ["every-schedule"] },
            { "required": ["some-schedule"] },
        ],
    })
}
