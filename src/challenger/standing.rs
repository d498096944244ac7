//! How a version stands before the throne as it is now, whoever reigned when it was trained.

use super::Service;
use super::reproduce::rows_of;
use crate::registry::manifest::{Gate, Manifest};
use crate::registry::{Champion, Loaded, Move, Registry, RegistryError, Version};
use crate::train::judge::{Bench, Judgement, OF_THE_DAY, Rival, not_compared};
use crate::train::verdict::MAX_MSE;

/// What a promotion of a version now rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The version.
    pub version: Version,
    /// Who reigns.
    pub champion: Option<Champion>,
    /// The version against that champion, if they could be compared.
    pub verdict: Option<String>,
    /// The gates against that champion.
    pub gates: Vec<Gate>,
    /// The verdict was reached now: the version was trained under another champion.
    pub fresh: bool,
}

impl Standing {
    /// The gates it does not pass.
    pub fn failed(&self) -> Vec<&Gate> {
        self.gates.iter().filter(|gate| !gate.passed).collect()
    }

    /// A promotion on these grounds: nothing is done if another champion reigns by then. The failed gates are noted as
    /// overridden.
    pub fn wish(&self, reason: impl Into<String>) -> Move {
        let failed = self.failed().into_iter();
        Move {
            overridden: failed.map(|gate| gate.name.clone()).collect(),
            ..Move::seen(self.champion.as_ref(), reason)
        }
    }
}

/// Where `version` stands: as it was judged when the champion of that time still reigns, else judged again on its
/// holdout against the one who reigns now. Where that cannot be done the gate is shut and says why.
pub fn standing(
    registry: &Registry,
    version: Version,
    service: &Service,
) -> Result<Standing, RegistryError> {
    let manifest = registry.manifest(version)?;
    let champion = registry.champion()?;
    let reigning = champion.as_ref().map(|champion| champion.version);
    let as_judged = manifest.champion_at_train == reigning && !manifest.gates.is_empty();
    if as_judged || reigning == Some(version) {
        return Ok(Standing {
            version,
            champion,
            verdict: manifest.verdict,
            gates: manifest.gates,
            fresh: false,
        });
    }
    let loaded = registry.load(version)?;
    let rival = champion.as_ref().map(|_| registry.load_champion());
    let (verdict, gates) = match judge(&loaded, rival, service) {
        Ok(judgement) => (
            judgement.word().map(|verdict| verdict.to_string()),
            since(&manifest, judgement.gates.into_iter().map(Gate::from)),
        ),
        Err(why) => (None, since(&manifest, [not_compared(&why).into()])),
    };
    Ok(Standing {
        version,
        champion,
        verdict,
        gates,
        fresh: true,
    })
}

fn judge(
    loaded: &Loaded,
    rival: Option<Result<(Champion, Loaded), RegistryError>>,
    service: &Service,
) -> Result<Judgement, String> {
    let Loaded {
        manifest, model, ..
    } = loaded;
    let rival = rival.transpose().map_err(|error| error.to_string())?;
    let prepared = rows_of(manifest)?;
    let rival = match &rival {
        None => Rival::Nobody,
        Some((_, old)) if old.model.names() == model.names() => Rival::Champion(&old.model),
        Some((champion, _)) => Rival::Unknown(format!("{} takes other features", champion.version)),
    };
    let answers = manifest.canaries.iter();
    let canaries: Vec<(f32, f32)> = answers
        .map(|canary| (canary.y, model.predict_row(&canary.x)))
        .collect();
    let bench = Bench {
        holdout: &prepared.holdout(),
        bands: &service.bands,
        served: &service.features,
        max_mse: MAX_MSE,
        seed: manifest.data.split_seed,
    };
    Ok(bench.judge(model, &canaries, &rival))
}

/// The gates of now; those that do not depend on the champion stand as they were recorded, with the threshold that was
/// asked for then.
fn since(manifest: &Manifest, now: impl IntoIterator<Item = Gate>) -> Vec<Gate> {
    let lasting = |gate: &&Gate| !OF_THE_DAY.contains(&gate.name.as_str());
    let mut gates: Vec<Gate> = manifest.gates.iter().filter(lasting).cloned().collect();
    for gate in now {
        if gates.iter().all(|old| old.name != gate.name) {
            gates.push(gate);
        }
    }
    gates
}
