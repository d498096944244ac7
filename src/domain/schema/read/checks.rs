//! What makes the file as written a [`Schema`]: bands that rise, features with whole ranges, rules and presets about them.

use toml::Spanned;

use super::super::{Band, Choice, Domain, Feature, Preset, Range, Rule, Scale, Schema, same};
use super::{RawBand, RawFeature, RawPreset, RawRule, RawScale, RawSchema, SchemaError, Source};

impl Source<'_> {
    /// The schema, or the first thing that is wrong with it.
    pub(super) fn schema(&self, raw: RawSchema) -> Result<Schema, SchemaError> {
        let score = self.scale(raw.score)?;
        let bands = self.bands(raw.bands)?;
        let features = self.features(raw.features)?;
        let rules = self.rules(raw.rules, &features)?;
        let presets = self.presets(raw.presets, &features)?;
        Ok(Schema {
            name: raw.name,
            title: raw.title,
            score,
            bands,
            features,
            rules,
            presets,
        })
    }

    fn scale(&self, raw: RawScale) -> Result<Scale, SchemaError> {
        if raw.min >= *raw.max.get_ref() {
            return Err(self.error(raw.max.span().start, "score.max", "must be above score.min"));
        }
        if raw.fields.get_ref().is_empty() {
            return Err(self.error(
                raw.fields.span().start,
                "score.fields",
                "name at least one field of the answer",
            ));
        }
        let (max, fields) = (raw.max.into_inner(), raw.fields.into_inner());
        Ok(Scale {
            label: raw.label,
            min: raw.min,
            max,
            fields,
            band_field: raw.band_field,
        })
    }

    fn bands(&self, raw: Spanned<Vec<Spanned<RawBand>>>) -> Result<Vec<Band>, SchemaError> {
        let start = raw.span().start;
        let mut bands: Vec<Band> = Vec::new();
        for band in raw.into_inner() {
            let here = band.span().start;
            let band = band.into_inner();
            let below = band
                .below
                .as_ref()
                .map_or(f64::INFINITY, |below| *below.get_ref());
            if bands.last().is_some_and(|before| before.below >= below) {
                let at = band.below.map_or(here, |below| below.span().start);
                return Err(self.error(
                    at,
                    "bands.below",
                    "bands go from the lowest up, each ending above the one before",
                ));
            }
            bands.push(Band {
                name: band.name,
                below,
            });
        }
        match bands.last() {
            Some(last) if last.below.is_infinite() => Ok(bands),
            _ => Err(self.error(start, "bands", "the last band must have no `below`")),
        }
    }

    fn features(
        &self,
        raw: Spanned<Vec<Spanned<RawFeature>>>,
    ) -> Result<Vec<Feature>, SchemaError> {
        let start = raw.span().start;
        let mut features: Vec<Feature> = Vec::new();
        for feature in raw.into_inner() {
            let at = feature.get_ref().name.span().start;
            let feature = self.feature(feature)?;
            if features.iter().any(|before| before.name == feature.name) {
                return Err(self.error(
                    at,
                    "features.name",
                    format!("`{}` is there twice", feature.name),
                ));
            }
            features.push(feature);
        }
        if features.is_empty() {
            return Err(self.error(start, "features", "a model needs at least one feature"));
        }
        Ok(features)
    }

    fn feature(&self, raw: Spanned<RawFeature>) -> Result<Feature, SchemaError> {
        let start = raw.get_ref().name.span().start;
        let raw = raw.into_inner();
        let default = match (raw.optional, &raw.default) {
            (true, Some(default)) => Some(*default.get_ref()),
            (false, None) => None,
            (true, None) => {
                return Err(self.error(
                    start,
                    "features.default",
                    "an optional feature says what its absence means",
                ));
            }
            (false, Some(default)) => {
                let at = default.span().start;
                return Err(self.error(
                    at,
                    "features.default",
                    "only a feature with `optional = true` has a default",
                ));
            }
        };
        let domain = self.domain(&raw, start)?;
        if let (Some(value), Domain::Choice(choices)) = (&raw.default, &domain)
            && !choices
                .iter()
                .any(|choice| same(choice.value, *value.get_ref()))
        {
            return Err(self.error(
                value.span().start,
                "features.default",
                "is not one of the choices",
            ));
        }
        Ok(Feature {
            name: raw.name.into_inner(),
            aliases: raw.aliases,
            label: raw.label,
            unit: raw.unit,
            default,
            domain,
        })
    }

    fn domain(&self, raw: &RawFeature, start: usize) -> Result<Domain, SchemaError> {
        let numbers = [
            ("min", &raw.min),
            ("p1", &raw.p1),
            ("p50", &raw.p50),
            ("p99", &raw.p99),
            ("max", &raw.max),
            ("step", &raw.step),
        ];
        if let Some(choices) = &raw.choices {
            if let Some((key, Some(value))) = numbers.iter().find(|(_, value)| value.is_some()) {
                let message = "a feature has either choices or a range, not both";
                return Err(self.error(value.span().start, &format!("features.{key}"), message));
            }
            let at = choices.span().start;
            let choices: Vec<Choice> = (choices.get_ref().iter())
                .map(|choice| Choice {
                    value: choice.value,
                    label: choice.label.clone(),
                })
                .collect();
            if choices.len() < 2 {
                return Err(self.error(
                    at,
                    "features.choices",
                    "a choice needs at least two values",
                ));
            }
            return Ok(Domain::Choice(choices));
        }
        let mut found = [0.0; 6];
        for (slot, (key, value)) in found.iter_mut().zip(numbers) {
            let Some(value) = value else {
                let message = format!("is missing for `{}`", raw.name.get_ref());
                return Err(self.error(start, &format!("features.{key}"), message));
            };
            *slot = *value.get_ref();
            if !slot.is_finite() {
                return Err(self.error(
                    value.span().start,
                    &format!("features.{key}"),
                    "must be a finite number",
                ));
            }
        }
        self.check_order(&found, &numbers)?;
        let [min, p1, p50, p99, max, step] = found;
        Ok(Domain::Number(Range {
            min,
            p1,
            p50,
            p99,
            max,
            step,
        }))
    }

    /// min ≤ p1 ≤ p50 ≤ p99 ≤ max, and a step that moves.
    fn check_order(
        &self,
        found: &[f64; 6],
        keys: &[(&str, &Option<Spanned<f64>>); 6],
    ) -> Result<(), SchemaError> {
        let at = |i: usize| keys[i].1.as_ref().map_or(0, |value| value.span().start);
        for i in 1..5 {
            if found[i] < found[i - 1] {
                let message = format!("must not be below {} ({})", keys[i - 1].0, found[i - 1]);
                return Err(self.error(at(i), &format!("features.{}", keys[i].0), message));
            }
        }
        if found[5] <= 0.0 {
            return Err(self.error(at(5), "features.step", "must be above 0"));
        }
        Ok(())
    }

    fn rules(&self, raw: Vec<RawRule>, features: &[Feature]) -> Result<Vec<Rule>, SchemaError> {
        raw.into_iter()
            .map(|rule| {
                let at = rule.at_most.span().start;
                let [smaller, larger] = rule.at_most.into_inner();
                let find = |name: &str| self.find(features, name, at, "rules.at_most");
                Ok(Rule {
                    smaller: find(&smaller)?,
                    larger: find(&larger)?,
                    message: rule.message,
                })
            })
            .collect()
    }

    fn presets(
        &self,
        raw: Spanned<Vec<Spanned<RawPreset>>>,
        features: &[Feature],
    ) -> Result<Vec<Preset>, SchemaError> {
        let start = raw.span().start;
        let mut presets: Vec<Preset> = Vec::new();
        for preset in raw.into_inner() {
            let at = preset.span().start;
            let preset = preset.into_inner();
            let mut values: Vec<Option<f64>> =
                features.iter().map(|feature| feature.default).collect();
            if let Some(from) = &preset.from {
                let Some(base) = presets.iter().find(|before| before.name == *from.get_ref())
                else {
                    let message = format!("there is no earlier preset `{}`", from.get_ref());
                    return Err(self.error(from.span().start, "presets.from", message));
                };
                values = base.values.iter().copied().map(Some).collect();
            }
            for (name, value) in preset.values {
                let position = self.find(
                    features,
                    name.get_ref(),
                    name.span().start,
                    "presets.values",
                )?;
                values[position] = Some(value.into_inner());
            }
            if let Some(missing) = values.iter().position(Option::is_none) {
                let message = format!(
                    "`{}` has no value for `{}`",
                    preset.name, features[missing].name
                );
                return Err(self.error(at, "presets.values", message));
            }
            let values = values.into_iter().flatten().collect();
            presets.push(Preset {
                name: preset.name,
                label: preset.label,
                values,
            });
        }
        if presets.is_empty() {
            return Err(self.error(
                start,
                "presets",
                "the form opens with the first preset: give at least one",
            ));
        }
        Ok(presets)
    }

    fn find(
        &self,
        features: &[Feature],
        name: &str,
        at: usize,
        key: &str,
    ) -> Result<usize, SchemaError> {
        (features.iter().position(|feature| feature.name == name)).ok_or_else(|| {
            let known: Vec<&str> = features
                .iter()
                .map(|feature| feature.name.as_str())
                .collect();
            self.error(
                at,
                key,
                format!(
                    "there is no feature `{name}`; the features are {}",
                    known.join(", ")
                ),
            )
        })
    }
}
