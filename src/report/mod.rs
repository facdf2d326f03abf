//! `results.json` as the documents that a reviewer reads: self-contained HTML, Korean and English, the same bytes each time.
//!
//! Templates (`templates/*.html`) hold the layout, catalogues (`templates/i18n/*.toml`) the prose, records the numbers. Templates
//! compute nothing: they name a number by table, cell and statistic, and a number that is missing stops the report.

mod catalogue;
mod grid;
mod page;
pub mod phrase;
mod table;

use crate::analysis::format::{Kind, fmt_value};
use crate::analysis::results::Results;
use crate::error::Error;
use crate::figures;
use crate::protocol::{Language, Protocol, ReportKind};
use catalogue::Catalogue;
use serde::Serialize;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use table::{Tables, kebab};
use tera::{Context, Kwargs, State, Tera, TeraResult, Value};

const TEMPLATES: [(&str, &str); 6] = [
    ("blocks.html", include_str!("../../templates/blocks.html")),
    ("tables.html", include_str!("../../templates/tables.html")),
    ("page.html", include_str!("../../templates/page.html")),
    ("standalone.html", include_str!("../../templates/standalone.html")),
    ("mfds.html", include_str!("../../templates/mfds.html")),
    ("fda.html", include_str!("../../templates/fda.html")),
];

/// The report as one HTML file that needs nothing else. Tables, figures and notes that the kind of report has no place of its own for
/// stand at its end; a table that no report knows is refused.
pub fn render(protocol: &Protocol, results: &Results, kind: ReportKind, language: Language) -> Result<String, Error> {
    let catalogue = Catalogue::load(language)?;
    if let Some(record) = results.records.iter().find(|r| catalogue.find(&format!("table.{}", r.table_id)).is_none()) {
        return Err(Error::Refused(format!("{}: no report knows the table ‘{}’", record.ard_id, record.table_id)));
    }
    let html = body(protocol, results, kind, &catalogue, &Rest::default())?;
    let rest = Rest::of(&html, results, language)?;
    let html = if rest.is_empty() { html } else { body(protocol, results, kind, &catalogue, &rest)? };
    let labels = [catalogue.text("ui.contents")?, catalogue.text("ui.tables")?, catalogue.text("ui.figures")?];
    page::finish(&html, labels)
}

/// What the results hold and a report has not placed.
#[derive(Debug, Default, Serialize)]
struct Rest {
    tables: Vec<String>,
    figures: Vec<String>,
    /// What notes without a place are about.
    notes: Vec<String>,
}

impl Rest {
    /// Every printed number, figure and note carries its key in the page, which is what tells.
    fn of(html: &str, results: &Results, language: Language) -> Result<Self, Error> {
        let (numbers, ids) = (page::values(html, "data-ard"), page::values(html, "id"));
        let tables: BTreeSet<&str> = numbers.iter().filter_map(|key| key.split('/').next()).collect();
        let (notes, mut rest) = (page::values(html, "data-about"), Self::default());
        let add = |list: &mut Vec<String>, id: &str, placed: bool| {
            if !placed && !list.iter().any(|known| known == id) {
                list.push(id.to_owned());
            }
        };
        for record in &results.records {
            add(&mut rest.tables, &record.table_id, tables.contains(record.table_id.as_str()));
        }
        for figure in figures::draw_all(results, language)? {
            add(&mut rest.figures, &figure.id, ids.contains(&figure.id));
        }
        for note in &results.notes {
            // Under its table or figure, at the end too.
            let follows = rest.tables.contains(&note.about) || rest.figures.contains(&note.about);
            add(&mut rest.notes, &note.about, follows || notes.contains(&note.about));
        }
        Ok(rest)
    }

    fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.figures.is_empty() && self.notes.is_empty()
    }
}

fn body(
    protocol: &Protocol,
    results: &Results,
    kind: ReportKind,
    catalogue: &Catalogue,
    rest: &Rest,
) -> Result<String, Error> {
    let tables = Tables::new(protocol, results, catalogue);
    let mut context = context(&tables, protocol, results, kind, catalogue)?;
    context.insert("rest", rest);
    let mut tera = Tera::new();
    tera.autoescape_on(vec![".html"]);
    register(&mut tera, protocol, results, catalogue);
    tera.add_raw_templates(TEMPLATES).map_err(|e| Error::Internal(told(&e)))?;
    let name = match kind {
        ReportKind::Standalone => "standalone.html",
        ReportKind::Mfds => "mfds.html",
        ReportKind::Fda => "fda.html",
    };
    tera.render(name, &context).map_err(|e| Error::Refused(told(&e)))
}

/// An error of the template engine with all of its causes; a missing number is the innermost.
fn told(error: &tera::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

// ---- functions that templates call -------------------------------------------------------------------------------

/// Functions own what they read, as the template engine asks for.
fn register(tera: &mut Tera, protocol: &Protocol, results: &Results, catalogue: &Catalogue) {
    let owned = std::sync::Arc::new((protocol.clone(), results.clone(), catalogue.clone()));
    macro_rules! function {
        ($name:literal, |$tables:ident, $kwargs:ident| $answer:expr) => {{
            let owned = std::sync::Arc::clone(&owned);
            tera.register_function($name, move |$kwargs: Kwargs, _: &State| -> TeraResult<Value> {
                let $tables = Tables::new(&owned.0, &owned.1, &owned.2);
                $answer
            });
        }};
    }
    fn worded<T: serde::Serialize>(answer: Result<T, Error>) -> TeraResult<Value> {
        answer.map_err(|e| tera::Error::message(e.to_string())).and_then(|v| Value::try_from_serializable(&v))
    }
    function!("cell", |tables, kwargs| {
        let (table, cell) = (kwargs.must_get::<&str>("table")?, kwargs.must_get::<&str>("cell")?);
        worded(tables.cell(table, cell, kwargs.must_get::<&str>("stat")?))
    });
    function!("rows", |tables, kwargs| {
        worded(tables.rows(kwargs.must_get::<&str>("table")?, kwargs.get::<&str>("prefix")?.unwrap_or("")))
    });
    function!("groups", |tables, kwargs| {
        worded(Ok(tables.groups(kwargs.must_get::<&str>("table")?, kwargs.must_get::<&str>("suffix")?)))
    });
    function!("grid", |tables, kwargs| worded(tables.grid(kwargs.must_get::<&str>("table")?)));
    function!("matrices", |tables, kwargs| worded(tables.matrices(kwargs.must_get::<&str>("table")?)));
    function!("footnotes", |tables, kwargs| worded(Ok(tables.footnotes(kwargs.must_get::<&str>("table")?))));
    function!("about", |tables, kwargs| {
        let table = kwargs.must_get::<&str>("table")?;
        worded(Ok(json!({
            "methods": tables.methods(table),
            "sets": tables.sets(table),
            "planned": tables.planned(table),
            "levels": tables.levels(table),
            "excluded": tables.excluded(table),
        })))
    });
    let texts = std::sync::Arc::clone(&owned);
    tera.register_function("t", move |kwargs: Kwargs, _: &State| -> TeraResult<Value> {
        worded(texts.2.text(kwargs.must_get::<&str>("key")?).map(str::to_owned))
    });
    let texts = std::sync::Arc::clone(&owned);
    tera.register_function("notes", move |kwargs: Kwargs, _: &State| -> TeraResult<Value> {
        let about = kwargs.must_get::<&str>("about")?;
        let own = texts.1.notes.iter().filter(|n| n.about == about);
        let text = |n: &crate::analysis::results::Note| match texts.2.language {
            Language::Ko => json!({ "level": n.level, "text": n.ko }),
            Language::En => json!({ "level": n.level, "text": n.en }),
        };
        worded(Ok(own.map(text).collect::<Vec<_>>()))
    });
}

// ---- the context -------------------------------------------------------------------------------------------------

fn context(
    tables: &Tables,
    protocol: &Protocol,
    results: &Results,
    kind: ReportKind,
    catalogue: &Catalogue,
) -> Result<Context, Error> {
    let language = catalogue.language;
    let internal = |e: serde_json::Error| Error::Internal(e.to_string());
    let mut context = Context::new();
    let plain = plain(serde_json::to_value(protocol).map_err(internal)?, language);
    let endpoints = protocol.endpoints.iter().map(|e| endpoint(tables, e, catalogue)).collect::<Result<Vec<_>, _>>()?;
    let figures: Vec<Json> = figures::draw_all(results, language)?
        .into_iter()
        .map(|f| json!({ "id": f.id, "title": f.title, "description": f.description, "svg": f.inline }))
        .collect();
    let verdicts = tables.verdicts()?;
    let decided: Vec<Option<bool>> = verdicts.iter().map(|v| v.met).collect();
    let overall = match decided.as_slice() {
        [] => "none",
        all if all.contains(&Some(false)) => "failed",
        all if all.contains(&None) => "undecided",
        _ => "passed",
    };
    context.insert("p", &plain);
    let mut stamp = results.stamp.clone();
    if language == Language::Ko {
        stamp.ledger.iter_mut().for_each(|look| look.purpose = phrase::korean(&look.purpose));
    }
    context.insert("stamp", &self::plain(serde_json::to_value(&stamp).map_err(internal)?, language));
    context.insert("endpoints", &endpoints);
    context.insert("figures", &figures);
    context.insert("verdicts", &verdicts);
    context.insert("overall", overall);
    context.insert("lang", &kebab(&language));
    context.insert("kind", &kebab(&kind));
    context.insert("primary_id", &protocol.study.protocol_id.clone().unwrap_or_else(|| protocol.study.id.clone()));
    let page = match language {
        Language::Ko => "A4",
        Language::En => "Letter",
    };
    context.insert("page_size", page);
    let footer = [
        format!("{} v{}", protocol.study.protocol_id.as_ref().unwrap_or(&protocol.study.id), protocol.study.version),
        format!("{} {}", catalogue.text("ui.protocol_hash")?, short(&results.stamp.protocol_hash)),
        format!("{} {}", catalogue.text("ui.lock_root")?, short(&results.stamp.lock_root)),
        format!("cadproof {}", results.stamp.tool_version),
        protocol.study.date.clone(),
    ]
    .join(" · ");
    context.insert("footer", &footer);
    context.insert("footer_css", &page::css_string(&footer));
    context.insert("draft_css", &page::css_string(catalogue.text("ui.draft")?));
    Ok(context)
}

/// First 12 digits of a hash.
fn short(hash: &str) -> String {
    hash.chars().take(12).collect()
}

fn endpoint(tables: &Tables, endpoint: &crate::protocol::Endpoint, catalogue: &Catalogue) -> Result<Json, Error> {
    let name = |family: &str, key: &str| catalogue.text(&format!("{family}.{key}")).map(str::to_owned);
    let arms = match (&endpoint.compare, &endpoint.modality, &endpoint.operating_point) {
        (Some([test, control]), _, _) => format!("{} − {}", tables.arm(test), tables.arm(control)),
        (None, Some(modality), _) => tables.arm(modality),
        (None, None, Some(point)) => format!("{} ({point})", name("arm", "standalone")?),
        (None, None, None) => name("enum", &kebab(&endpoint.subject))?,
    };
    let method = name("method", &kebab(&endpoint.method))?;
    let covariance = endpoint.covariance.map(|c| name("covariance", &kebab(&c))).transpose()?;
    Ok(json!({
        "id": endpoint.id,
        "rank": name("enum", &kebab(&endpoint.rank))?,
        "label": tables.endpoint_label(endpoint),
        "measure": name("measure", &kebab(&endpoint.measure))?,
        "arms": arms,
        "method": covariance.map_or(method.clone(), |c| format!("{method}, {c}")),
        "criterion": tables.criterion(endpoint)?,
        "replicates": endpoint.replicates,
    }))
}

/// A value for templates: bilingual texts in the report's language, real numbers as they are printed.
fn plain(value: Json, language: Language) -> Json {
    match value {
        Json::Object(map) if is_text(&map) => match (language, map.get("ko")) {
            (Language::Ko, Some(ko @ Json::String(_))) => ko.clone(),
            _ => map.get("en").cloned().unwrap_or(Json::Null),
        },
        Json::Object(map) => Json::Object(map.into_iter().map(|(k, v)| (k, plain(v, language))).collect()),
        Json::Array(list) => Json::Array(list.into_iter().map(|v| plain(v, language)).collect()),
        Json::Number(n) if n.is_f64() => n.as_f64().map_or(Json::Null, |v| Json::String(fmt_value(Kind::Plain, v))),
        other => other,
    }
}

fn is_text(map: &serde_json::Map<String, Json>) -> bool {
    map.contains_key("en") && map.keys().all(|k| k == "en" || k == "ko")
}
