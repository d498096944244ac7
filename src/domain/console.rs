//! Addresses in the AWS console. Built from percent-encoded parts only, so that they are safe wherever they are shown.

use std::fmt::Write;

/// The CloudWatch console on a log group, filtered, over a span of time (milliseconds since the epoch). `None` without a
/// group or a region that can be one.
pub fn log_events(
    region: &str,
    group: &str,
    pattern: &str,
    span: Option<(i64, i64)>,
) -> Option<String> {
    if group.is_empty() {
        return None;
    }
    let home = home(region, "cloudwatch")?;
    let mut query = format!("?filterPattern={}", encode(pattern));
    if let Some((from, to)) = span {
        let _ = write!(query, "&start={from}&end={to}");
    }
    // The console decodes the fragment twice, with `$` in the place of `%` in the inner encoding.
    Some(format!(
        "{home}#logsV2:log-groups/log-group/{}/log-events{}",
        encode(group).replace('%', "$25"),
        encode_query(&query)
    ))
}

/// The Lambda console on a function.
pub fn function(region: &str, name: &str) -> Option<String> {
    let home = home(region, "lambda")?;
    (!name.is_empty()).then(|| format!("{home}#/functions/{}", encode(name)))
}

fn home(region: &str, service: &str) -> Option<String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (!region.is_empty() && region.bytes().all(is_name))
        .then(|| format!("https://{region}.console.aws.amazon.com/{service}/home?region={region}"))
}

fn encode_query(query: &str) -> String {
    query.bytes().fold(String::new(), |out, byte| match byte {
        b'?' => out + "$3F",
        b'=' => out + "$3D",
        b'&' => out + "$26",
        b'%' => out + "$25",
        byte => out + &char::from(byte).to_string(),
    })
}

/// Percent-encoding of everything but RFC 3986's unreserved characters.
fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            out + &char::from(byte).to_string()
        }
        byte => out + &format!("%{byte:02X}"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn log_events_are_encoded_as_the_console_wants_it() {
        let link = log_events("us-east-2", "/aws/lambda/wine", "\"a b\"", Some((1, 2)));
        assert_eq!(
            link.as_deref(),
            Some(
                "https://us-east-2.console.aws.amazon.com/cloudwatch/home?region=us-east-2#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fwine/log-events$3FfilterPattern$3D$2522a$2520b$2522$26start$3D1$26end$3D2"
            )
        );
        assert_eq!(log_events("", "g", "", None), None);
    }

    #[test]
    fn a_function_has_a_page() {
        assert_eq!(
            function("eu-west-1", "wine-quality-predictor").as_deref(),
            Some(
                "https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/wine-quality-predictor"
            )
        );
        assert_eq!(function("evil.example/", "f"), None);
    }

    proptest! {
        /// Names that a hostile service could send do not leave the address, and put nothing into it that a terminal obeys.
        #[test]
        fn nothing_but_printable_ascii_comes_out(region in any::<String>(), group in any::<String>(), pattern in any::<String>()) {
            for link in [log_events(&region, &group, &pattern, Some((1, 2))), log_events("eu-west-1", &group, &pattern, None), function("eu-west-1", &group)].into_iter().flatten() {
                prop_assert!(link.bytes().all(|byte| byte.is_ascii_graphic()), "{:?}", link);
                prop_assert!(link.contains(".console.aws.amazon.com/"));
            }
        }
    }
}
