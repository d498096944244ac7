//! The query language: commands joined by `|`, expressions with the usual precedence.

mod scan;

use regex::Regex;

use super::aggregate::{Aggregate, Kind};
use super::cell::Cell;
use super::expression::{Expression, Function, Operator};
use scan::Scanner;
pub(super) use scan::SyntaxError;

/// An expression and the column it becomes.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub name: String,
    pub expression: Expression,
}

#[derive(Debug, Clone)]
pub(super) enum Command {
    Fields(Vec<Named>),
    Display(Vec<String>),
    Filter(Expression),
    Parse {
        field: Expression,
        regex: Regex,
        names: Vec<String>,
    },
    Stats {
        aggregates: Vec<Aggregate>,
        by: Vec<Named>,
    },
    /// Columns, `true` for descending.
    Sort(Vec<(String, bool)>),
    Limit(usize),
}

type Parsed<T> = Result<T, SyntaxError>;

/// Parse a whole query.
pub(super) fn query(text: &str) -> Parsed<Vec<Command>> {
    let mut scanner = Scanner::new(text);
    let mut commands = Vec::new();
    loop {
        commands.push(command(&mut scanner)?);
        if scanner.at_end() {
            return Ok(commands);
        }
        scanner.expect("|")?;
    }
}

fn command(scanner: &mut Scanner<'_>) -> Parsed<Command> {
    let start = scanner.clone();
    let word = scanner.word().unwrap_or_default().to_lowercase();
    match word.as_str() {
        "fields" => Ok(Command::Fields(list(scanner, named)?)),
        "display" => Ok(Command::Display(list(scanner, field_name)?)),
        "filter" | "where" => Ok(Command::Filter(expression(scanner)?)),
        "parse" => parse_command(scanner),
        "stats" => stats(scanner),
        "sort" | "order" => {
            let _ = word == "order" && scanner.keyword("by");
            Ok(Command::Sort(list(scanner, sort_key)?))
        }
        "limit" | "head" => match scanner.number() {
            Some(number) if number >= 1.0 && number.fract() == 0.0 => Ok(Command::Limit(number as usize)),
            _ => Err(scanner.error("limit needs a whole number above 0")),
        },
        _ => Err(start.error("unexpected symbol found, expected a command: fields, display, filter, parse, stats, sort or limit")),
    }
}

fn list<T>(
    scanner: &mut Scanner<'_>,
    mut item: impl FnMut(&mut Scanner<'_>) -> Parsed<T>,
) -> Parsed<Vec<T>> {
    let mut items = vec![item(scanner)?];
    while scanner.eat(",") {
        items.push(item(scanner)?);
    }
    Ok(items)
}

fn field_name(scanner: &mut Scanner<'_>) -> Parsed<String> {
    scanner
        .field()
        .ok_or_else(|| scanner.error("expected a field"))
}

/// An expression with its column: `as name`, or the text it was written with.
fn named(scanner: &mut Scanner<'_>) -> Parsed<Named> {
    let start = scanner.position();
    let expression = expression(scanner)?;
    let written = scanner.since(start);
    let name = if scanner.keyword("as") {
        field_name(scanner)?
    } else {
        written
    };
    Ok(Named { name, expression })
}

fn sort_key(scanner: &mut Scanner<'_>) -> Parsed<(String, bool)> {
    let start = scanner.position();
    expression(scanner)?;
    let name = scanner.since(start);
    let descending = if scanner.keyword("desc") {
        true
    } else {
        !scanner.keyword("asc")
    };
    Ok((name.trim_matches('`').to_owned(), descending))
}

fn stats(scanner: &mut Scanner<'_>) -> Parsed<Command> {
    let aggregates = list(scanner, aggregate)?;
    let by = if scanner.keyword("by") {
        list(scanner, named)?
    } else {
        Vec::new()
    };
    Ok(Command::Stats { aggregates, by })
}

fn aggregate(scanner: &mut Scanner<'_>) -> Parsed<Aggregate> {
    let (start, before) = (scanner.position(), scanner.clone());
    let unknown = "expected an aggregation: count, count_distinct, sum, avg, min, max, pct, median, stddev, earliest or latest";
    let mut kind = scanner
        .word()
        .and_then(|word| Kind::named(&word.to_lowercase()))
        .ok_or_else(|| before.error(unknown))?;
    scanner.expect("(")?;
    let of = if scanner.eat("*") || scanner.peek(")") {
        None
    } else {
        Some(expression(scanner)?)
    };
    if of.is_none() && kind != Kind::Count {
        return Err(scanner.error("this aggregation needs a field"));
    }
    if kind == Kind::Percentile(0.0) {
        scanner.expect(",")?;
        let percent = scanner
            .number()
            .filter(|percent| (0.0..=100.0).contains(percent));
        kind = Kind::Percentile(
            percent.ok_or_else(|| scanner.error("pct needs a percentile between 0 and 100"))?,
        );
    }
    scanner.expect(")")?;
    let written = scanner.since(start);
    let name = if scanner.keyword("as") {
        field_name(scanner)?
    } else {
        written
    };
    Ok(Aggregate { name, kind, of })
}

/// `parse FIELD "glob * text" as a, b` or `parse FIELD /regex with (?<names>…)/`.
fn parse_command(scanner: &mut Scanner<'_>) -> Parsed<Command> {
    let field = Expression::Field(field_name(scanner)?);
    if scanner.peek("/") {
        let regex = scanner.regex()?;
        let names = regex
            .capture_names()
            .skip(1)
            .map(|name| name.unwrap_or_default().to_owned())
            .collect();
        return Ok(Command::Parse {
            field,
            regex,
            names,
        });
    }
    let glob = scanner
        .string()?
        .ok_or_else(|| scanner.error("expected a pattern in quotes or slashes"))?;
    if !scanner.keyword("as") {
        return Err(scanner.error("expected 'as' and a name for each *"));
    }
    let names = list(scanner, field_name)?;
    if glob.matches('*').count() != names.len() {
        return Err(scanner.error("the pattern needs one * for each name"));
    }
    let parts: Vec<String> = glob.split('*').map(regex::escape).collect();
    // The last part decides how far the last star reaches.
    let tail = if glob.ends_with('*') { "(.*)" } else { "(.*?)" };
    let last = parts.len() - 1;
    let pattern: String = parts
        .iter()
        .enumerate()
        .map(|(index, part)| {
            if index == last {
                part.clone()
            } else {
                format!("{part}{}", if index + 1 == last { tail } else { "(.*?)" })
            }
        })
        .collect();
    let regex = Regex::new(&format!("(?s){pattern}"))
        .map_err(|_| scanner.error("the pattern is too large"))?;
    Ok(Command::Parse {
        field,
        regex,
        names,
    })
}

fn expression(scanner: &mut Scanner<'_>) -> Parsed<Expression> {
    scanner.deeper()?;
    let all = joined(scanner, ("or", Operator::Or), conjunction)?;
    scanner.shallower();
    Ok(all)
}

fn conjunction(scanner: &mut Scanner<'_>) -> Parsed<Expression> {
    joined(scanner, ("and", Operator::And), comparison)
}

fn joined(
    scanner: &mut Scanner<'_>,
    (word, operator): (&str, Operator),
    next: fn(&mut Scanner<'_>) -> Parsed<Expression>,
) -> Parsed<Expression> {
    let mut left = next(scanner)?;
    while scanner.keyword(word) {
        left = Expression::Binary(Box::new(left), operator, Box::new(next(scanner)?));
    }
    Ok(left)
}

fn comparison(scanner: &mut Scanner<'_>) -> Parsed<Expression> {
    if scanner.keyword("not") {
        return Ok(Expression::Not(Box::new(comparison(scanner)?)));
    }
    let left = sum(scanner)?;
    let negated = scanner.keyword("not");
    let test = if scanner.keyword("like") || scanner.eat("=~") {
        let regex = match scanner.string()? {
            Some(text) => Regex::new(&regex::escape(&text))
                .map_err(|_| scanner.error("the text is too long"))?,
            None => scanner.regex()?,
        };
        Some(Expression::Like(Box::new(left.clone()), regex))
    } else if scanner.keyword("in") {
        scanner.expect("[")?;
        let items = list(scanner, expression)?;
        scanner.expect("]")?;
        Some(Expression::In(Box::new(left.clone()), items))
    } else {
        None
    };
    match (test, negated) {
        (Some(test), false) => return Ok(test),
        (Some(test), true) => return Ok(Expression::Not(Box::new(test))),
        (None, true) => return Err(scanner.error("expected like or in")),
        (None, false) => {}
    }
    let operators = [
        ("!=", Operator::NotEqual),
        ("<=", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("=", Operator::Equal),
        ("<", Operator::Less),
        (">", Operator::More),
    ];
    match operators.iter().find(|(sign, _)| scanner.eat(sign)) {
        Some((_, operator)) => Ok(Expression::Binary(
            Box::new(left),
            *operator,
            Box::new(sum(scanner)?),
        )),
        None => Ok(left),
    }
}

fn sum(scanner: &mut Scanner<'_>) -> Parsed<Expression> {
    binary(
        scanner,
        &[("+", Operator::Add), ("-", Operator::Subtract)],
        product,
    )
}

fn product(scanner: &mut Scanner<'_>) -> Parsed<Expression> {
    binary(
        scanner,
        &[("*", Operator::Multiply), ("/", Operator::Divide)],
        atom,
    )
}

fn binary(
    scanner: &mut Scanner<'_>,
    operators: &[(&str, Operator)],
    next: fn(&mut Scanner<'_>) -> Parsed<Expression>,
) -> Parsed<Expression> {
    let mut left = next(scanner)?;
    while let Some((_, operator)) = operators.iter().find(|(sign, _)| scanner.eat(sign)) {
        left = Expression::Binary(Box::new(left), *operator, Box::new(next(scanner)?));
    }
    Ok(left)
}

fn atom(scanner: &mut Scanner<'_>) -> Parsed<Expression> {
    if scanner.eat("(") {
        let inner = expression(scanner)?;
        scanner.expect(")")?;
        return Ok(inner);
    }
    if let Some(text) = scanner.string()? {
        return Ok(Expression::Constant(Cell::Text(text)));
    }
    if let Some(number) = scanner.number() {
        return Ok(Expression::Constant(Cell::Number(number)));
    }
    let start = scanner.clone();
    let name = scanner.field().ok_or_else(|| {
        scanner.error("unexpected symbol found, expected a field, a number or a text")
    })?;
    if !scanner.eat("(") {
        return Ok(Expression::Field(name));
    }
    let call = match name.to_lowercase().as_str() {
        "bin" => Expression::Bin(scanner.period()?),
        "ispresent" => Expression::IsPresent(Box::new(expression(scanner)?)),
        other => {
            let function = Function::named(other)
                .ok_or_else(|| start.error(&format!("unknown function {name}")))?;
            Expression::Call(function, list(scanner, expression)?)
        }
    };
    scanner.expect(")")?;
    Ok(call)
}
