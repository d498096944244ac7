//! Names of AWS things: ARNs by their parts, and functions in every way that people and AWS name them.

/// A Lambda function: `name`, `name:alias`, `account:function:name`, an ARN, or an integration's URI around one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionName<'a> {
    /// As given, without the qualifier: what Lambda's API takes for `FunctionName`.
    pub whole: &'a str,
    /// The bare name: CloudWatch's dimension, the log group's last part.
    pub name: &'a str,
    /// Alias or version.
    pub qualifier: Option<&'a str>,
}

impl<'a> FunctionName<'a> {
    /// Takes a name apart; every text is one.
    pub fn of(text: &'a str) -> Self {
        let own = text.rsplit_once("function:").map_or(text, |(_, own)| own);
        let own = own.split('/').next().unwrap_or(own);
        let (name, qualifier) = match own.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier).filter(|q| !q.is_empty())),
            None => (own, None),
        };
        let cut = own.len() - name.len();
        let whole = match text.strip_suffix(own) {
            Some(_) => &text[..text.len() - cut],
            None => text,
        };
        FunctionName {
            whole,
            name,
            qualifier,
        }
    }
}

/// One colon-separated part of an ARN; `None` when it is absent or empty.
fn part(arn: &str, index: usize) -> Option<&str> {
    arn.split(':').nth(index).filter(|part| !part.is_empty())
}

/// `aws`, `aws-cn`, `aws-us-gov`.
pub fn partition(arn: &str) -> Option<&str> {
    part(arn, 1)
}

/// `us-east-2`.
pub fn region(arn: &str) -> Option<&str> {
    part(arn, 3)
}

/// `123456789012`.
pub fn account(arn: &str) -> Option<&str> {
    part(arn, 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_in_many_ways() {
        const ARN: &str = "arn:aws:lambda:us-east-2:123456789012:function:wine";
        let uri = format!(
            "arn:aws:apigateway:us-east-2:lambda:path/2015-03-31/functions/{ARN}:live/invocations"
        );
        let aliased = format!("{ARN}:live");
        for (text, whole, name, qualifier) in [
            ("wine", "wine", "wine", None),
            ("wine:live", "wine", "wine", Some("live")),
            (
                "123456789012:function:wine:3",
                "123456789012:function:wine",
                "wine",
                Some("3"),
            ),
            (ARN, ARN, "wine", None),
            (aliased.as_str(), ARN, "wine", Some("live")),
            (uri.as_str(), uri.as_str(), "wine", Some("live")),
            ("", "", "", None),
        ] {
            let expected = FunctionName {
                whole,
                name,
                qualifier,
            };
            assert_eq!(FunctionName::of(text), expected, "{text}");
        }
    }

    #[test]
    fn arns_have_parts() {
        let arn = "arn:aws-cn:lambda:cn-north-1:123456789012:function:wine";
        assert_eq!(
            (partition(arn), region(arn), account(arn)),
            (Some("aws-cn"), Some("cn-north-1"), Some("123456789012"))
        );
        assert_eq!(region("arn:aws:iam::123456789012:user/anna"), None);
    }
}
