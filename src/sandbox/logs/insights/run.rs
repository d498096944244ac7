//! Run a parsed query over events.

use std::collections::HashMap;

use super::super::super::streams::{Event, Key};
use super::cell::Cell;
use super::parse::{Command, Named};
use super::record::Record;

/// One result row: `(field, value)`, in the order of the columns.
pub(super) type Row = Vec<(String, String)>;

pub(super) struct Outcome {
    pub rows: Vec<Row>,
    /// Records that passed every filter.
    pub matched: usize,
}

pub(super) fn execute(
    program: &[Command],
    events: Vec<(Key, Event, String)>,
    limit: usize,
) -> Outcome {
    let mut records: Vec<Record> = events
        .iter()
        .map(|(key, event, log)| Record::new(*key, event, log))
        .collect();
    drop(events);
    let mut columns: Option<Vec<String>> = None;
    let mut matched = records.len();
    let (mut aggregated, mut sorted, mut limit) = (false, false, limit);
    for command in program {
        match command {
            Command::Fields(fields) => {
                for record in &mut records {
                    for Named { name, expression } in fields {
                        let cell = expression.of(record);
                        record.set(name, cell);
                    }
                }
                columns
                    .get_or_insert_default()
                    .extend(fields.iter().map(|field| field.name.clone()));
            }
            Command::Display(names) => columns = Some(names.clone()),
            Command::Filter(condition) => {
                records.retain(|record| condition.of(record).truth());
                if !aggregated {
                    matched = records.len();
                }
            }
            Command::Parse {
                field,
                regex,
                names,
            } => {
                for record in &mut records {
                    let Some(text) = field.of(record).text() else {
                        continue;
                    };
                    let Some(found) = regex.captures(&text) else {
                        continue;
                    };
                    for (index, name) in names.iter().enumerate() {
                        if let Some(part) = found.get(index + 1) {
                            record.set(name, Cell::Text(part.as_str().to_owned()));
                        }
                    }
                }
            }
            Command::Stats { aggregates, by } => {
                let mut groups: HashMap<Vec<Option<String>>, Vec<Record>> = HashMap::new();
                for record in records.drain(..) {
                    let key = by
                        .iter()
                        .map(|named| named.expression.of(&record).text())
                        .collect();
                    groups.entry(key).or_default().push(record);
                }
                for members in groups.values() {
                    let mut row = Record::default();
                    for named in by {
                        row.set(&named.name, named.expression.of(&members[0]));
                    }
                    for aggregate in aggregates {
                        row.set(&aggregate.name, aggregate.over(members));
                    }
                    records.push(row);
                }
                columns = Some(
                    by.iter()
                        .map(|named| named.name.clone())
                        .chain(aggregates.iter().map(|aggregate| aggregate.name.clone()))
                        .collect(),
                );
                // By its groups, so that the same query gives the same rows.
                let names: Vec<String> = by.iter().map(|named| named.name.clone()).collect();
                sort(
                    &mut records,
                    &names
                        .into_iter()
                        .map(|name| (name, false))
                        .collect::<Vec<_>>(),
                );
                (aggregated, sorted) = (true, true);
            }
            Command::Sort(keys) => {
                sort(&mut records, keys);
                sorted = true;
            }
            Command::Limit(most) => limit = limit.min(*most),
        }
    }
    if !sorted {
        sort(&mut records, &[("@timestamp".to_owned(), true)]);
    }
    records.truncate(limit);
    let mut columns = columns.unwrap_or_else(|| vec!["@timestamp".into(), "@message".into()]);
    if !aggregated {
        columns.push("@ptr".into());
    }
    let mut seen = std::collections::HashSet::new();
    columns.retain(|name| seen.insert(name.clone()));
    let rows = records
        .iter()
        .map(|record| {
            columns
                .iter()
                .filter_map(|name| Some((name.clone(), record.get(name).text()?)))
                .collect()
        })
        .collect();
    Outcome { rows, matched }
}

/// By each key in turn; `true` is descending.
fn sort(records: &mut [Record], keys: &[(String, bool)]) {
    records.sort_by(|left, right| {
        keys.iter()
            .map(|(name, descending)| {
                let order = left.get(name).order(&right.get(name));
                if *descending { order.reverse() } else { order }
            })
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
}
