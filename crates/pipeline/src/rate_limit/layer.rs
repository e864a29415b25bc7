//! The layer.

use std::sync::Arc;

use async_trait::async_trait;
use callgate_model::{Call, Fault, Reply};
use callgate_store::shared::{Away, Claim, Memory, Shared, Verdict};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};

use super::rule::{self, Quota};
use crate::{
    Error,
    layer::{Layer, Next, Opening},
};

struct RateLimit {
    quotas: Vec<Quota>,
    /// For each tool, the rules about it; what is no tool comes last.
    about: Vec<Vec<usize>>,
    shared: Arc<dyn Shared>,
    /// What is counted here while the others cannot be asked.
    alone: Arc<Memory>,
    replicas: u32,
    fallback: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    rule: String,
}

pub(crate) fn open(opening: &mut Opening<'_>) -> Result<Box<dyn Layer>, Error> {
    let config = &opening.settings.quotas;
    let tools: Vec<_> = opening.catalog.tools().iter().map(|item| item.offer.name.as_str()).collect();
    rule::check(config, &tools)?;
    let (refusals, fallback) = (Family::<Labels, Counter>::default(), Counter::default());
    opening.registry.register("mcp_quota_refusals", "Calls that a quota has refused, by rule", refusals.clone());
    let help = "Calls that were counted by this replica alone, because what replicas share could not be reached";
    opening.registry.register("mcp_quota_fallback", help, fallback.clone());
    let open = |rule: &super::Rule| Quota::new(rule, refusals.get_or_create_owned(&Labels { rule: rule.name.clone() }));
    let quotas = config.rules.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let rules = |tool: Option<&str>| quotas.iter().enumerate().filter(|(_, quota)| quota.covers(tool)).map(|(index, _)| index).collect();
    let about = tools.into_iter().map(Some).chain([None]).map(rules).collect();
    let shared = opening.shared.clone();
    let alone = opening.before.alone.clone().unwrap_or_else(|| Arc::new(Memory::new(&opening.settings.shared)));
    opening.carried.alone = Some(alone.clone());
    let replicas = opening.settings.shared.replicas;
    Ok(Box::new(RateLimit { quotas, about, shared, alone, replicas, fallback }))
}

#[async_trait]
impl Layer for RateLimit {
    fn concerns(&self, tool: Option<usize>) -> bool {
        !self.about(tool).is_empty()
    }

    async fn call(&self, call: &Call, next: Next<'_>) -> Result<Reply, Fault> {
        self.take(call, self.about(next.ticket().tool), &next).await?;
        next.run(call).await
    }
}

impl RateLimit {
    fn about(&self, tool: Option<usize>) -> &[usize] {
        &self.about[tool.unwrap_or(self.about.len() - 1)]
    }

    async fn take(&self, call: &Call, rules: &[usize], next: &Next<'_>) -> Result<(), Fault> {
        let concerned = || rules.iter().map(|&rule| &self.quotas[rule]).filter(|quota| quota.concerns(&call.caller));
        let mut keys = String::with_capacity(96 * rules.len());
        let mut ends = Vec::with_capacity(rules.len());
        for quota in concerned() {
            quota.write_key(call, &mut keys);
            ends.push(keys.len());
        }
        let begin = |place: usize| place.checked_sub(1).map_or(0, |before| ends[before]);
        let claim =
            |(place, quota): (usize, &Quota)| Claim { key: &keys[begin(place)..ends[place]], rate: quota.rate, member: quota.member(call) };
        let claims: Vec<_> = concerned().enumerate().map(claim).collect();
        match self.verdict(&claims).await {
            Verdict::Taken => Ok(()),
            Verdict::Refused { claim, retry_after } => {
                let Some(quota) = concerned().nth(claim) else { return Err(Fault::internal("a quota that was not asked has refused")) };
                quota.refused.inc();
                next.note("callgate.quota", quota.name().to_owned());
                Err(Fault::limited(&quota.whose, retry_after).because(quota.reason.clone()))
            }
        }
    }

    async fn verdict(&self, claims: &[Claim<'_>]) -> Verdict {
        if claims.is_empty() {
            return Verdict::Taken;
        }
        match self.shared.take(claims).await {
            Ok(verdict) => verdict,
            Err(Away) => {
                self.fallback.inc();
                let own: Vec<_> = claims.iter().map(|claim| Claim { rate: claim.rate.split(self.replicas), ..*claim }).collect();
                self.alone.take_now(&own)
            }
        }
    }
}
