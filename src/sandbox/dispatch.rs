//! From a request to its answer: find the service, count the call, let faults, credentials and
//! rates have their say, then let the service answer, all in one transaction.

use std::path::Path;

use bytes::Bytes;
use http::request::Parts;
use http::uri::PathAndQuery;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::account::{Broken, Sandbox, shifted};
use super::faults::{FaultKind, first_hit};
use super::ids::random_uuid;
use super::problem::Problem;
use super::route::{self, Scope, Service, header};
use super::service::{Answer, Call};
use super::state::{Held, StateError};
use super::viewer::{self, Sources};
use super::{
    acm, athena, chunked, cloudfront, cloudwatch, crowd, dns, glue, iam, keyvaluestore, kinesis,
    logs, mediaconnect, medialive, mediapackage, mediatailor, s3, sts, wafv2,
};
use crate::edge::{EdgeView, decide};

/// The account of a cloud that was never seeded.
const UNSEEDED_ACCOUNT: &str = "000000000000";
/// AWS's service that tells callers their own address.
const OWN_ADDRESS_HOST: &str = "checkip.amazonaws.com";

/// Answers a request now.
pub(super) fn answer(sandbox: &Sandbox, request: http::Request<Bytes>) -> Result<Answer, Broken> {
    let (parts, body) = request.into_parts();
    let body = match chunked::decode(&parts.headers, &body) {
        Ok(body) => body,
        Err(reason) => return Ok(plain(400, reason)),
    };
    if parts.method == http::Method::CONNECT {
        return Ok(plain(
            501,
            "the embedded cloud speaks plain HTTP: use http:// endpoints behind HTTP_PROXY\n",
        ));
    }
    let base = sandbox.base().now();
    let request_id = random_uuid();
    let asked = Asked {
        host: &route::host(&parts),
        parts: &parts,
        body: &body,
        request_id: &request_id,
    };
    let (answer, date) = sandbox
        .transact(|held, folder| {
            let now = shifted(base, held.index.offset);
            let skew = jiff::SignedDuration::from_secs(held.index.settings.skew_seconds);
            let date = now.saturating_add(skew).unwrap_or(now);
            Ok::<_, StateError>((asked.answer(held, folder, base)?, date))
        })
        .unwrap_or_else(|error| {
            let service = route::service(&parts, asked.host, &body).unwrap_or(Service::Waf);
            let problem = Problem::State(words(&error));
            (Ok(problem.answer(service, &request_id)), base)
        });
    answer.map(|mut answer| {
        // As every HTTP server does; clients take the skew of their clock from it.
        answer.headers.push(("date", http_date(date)));
        answer
    })
}

/// A time as HTTP writes it.
fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// A request and what is known of it from the start.
#[derive(Debug)]
struct Asked<'a> {
    host: &'a str,
    parts: &'a Parts,
    body: &'a [u8],
    request_id: &'a str,
}

impl Asked<'_> {
    fn answer(
        &self,
        held: &mut Held,
        folder: &Path,
        base: Timestamp,
    ) -> Result<Result<Answer, Broken>, StateError> {
        let now = shifted(base, held.index.offset);
        if self.host == OWN_ADDRESS_HOST {
            let address = held.index.settings.own_address;
            return Ok(Ok(plain(200, &format!("{address}\n"))));
        }
        if self.host == dns::HOST {
            let cloudfront = held.cloudfront.read(folder, &held.index)?;
            let is_served = |name: &str| cloudfront.find_by_domain(name).is_some();
            let path = self.parts.uri.path();
            return Ok(Ok(dns::answer(path, &held.index.settings, is_served)));
        }
        if let Some(service) = route::service(self.parts, self.host, self.body) {
            return self.serve(service, held, folder, now);
        }
        let cloudfront = held.cloudfront.read(folder, &held.index)?;
        if let Some(id) = cloudfront.find_by_domain(self.host).map(str::to_owned) {
            return self.view(&id, held, folder, now);
        }
        let host = self.host;
        if let Some(answer) = held.origin.read(folder, &held.index)?.host(host) {
            return Ok(Ok(answer));
        }
        Ok(Ok(if route::is_aws(host) {
            plain(
                501,
                &format!("the embedded cloud has no service at {host}\n"),
            )
        } else {
            plain(502, &format!("the embedded cloud knows no host {host}\n"))
        }))
    }

    /// Counts the request by its operation and, where that is asked for, by all that it says.
    fn count(&self, held: &mut Held, name: &str) {
        *held.index.calls.entry(name.to_owned()).or_default() += 1;
        if !held.index.settings.record_requests {
            return;
        }
        let mut digest = Sha256::new();
        let target = self.parts.uri.path_and_query();
        for said in [
            self.parts.method.as_str(),
            self.host,
            target.map_or("/", PathAndQuery::as_str),
        ] {
            digest.update(said);
            digest.update([0]);
        }
        if let Some(range) = header(&self.parts.headers, "range") {
            digest.update(range);
        }
        digest.update([0]);
        digest.update(self.body);
        // A digest, since addresses of viewers' requests may hold their token.
        let key = format!("{name} {}", hex::encode(&digest.finalize()[..8]));
        *held.index.requests.entry(key).or_default() += 1;
    }

    /// Answers a call to an AWS service.
    fn serve(
        &self,
        service: Service,
        held: &mut Held,
        folder: &Path,
        now: Timestamp,
    ) -> Result<Result<Answer, Broken>, StateError> {
        let scope = Scope::read(&self.parts.headers);
        let account = match held.index.account.as_str() {
            "" => UNSEEDED_ACCOUNT.to_owned(),
            account => account.to_owned(),
        };
        let call = Call {
            method: &self.parts.method,
            path: self.parts.uri.path(),
            query: self.parts.uri.query().unwrap_or_default(),
            headers: &self.parts.headers,
            body: self.body,
            now,
            account: &account,
            region: scope.as_ref().and_then(|scope| scope.region.as_deref()),
            request_id: self.request_id,
            rollout: held.index.settings.rollout,
        };
        let operation = match service {
            Service::CloudFront => cloudfront::operation(&call),
            Service::Store => keyvaluestore::operation(&call),
            Service::Sts => sts::operation(&call),
            Service::Waf => wafv2::operation(&call),
            Service::Acm => acm::operation(&call),
            Service::Athena => athena::operation(&call),
            Service::CloudWatch => cloudwatch::operation(&call),
            Service::Glue => glue::operation(&call),
            Service::Iam => iam::operation(&call),
            Service::Kinesis => kinesis::operation(&call),
            Service::Logs => logs::operation(&call),
            Service::MediaConnect => mediaconnect::operation(&call),
            Service::MediaLive => medialive::operation(&call),
            Service::MediaPackage => mediapackage::operation(&call),
            Service::MediaTailor => mediatailor::operation(&call),
            Service::S3 => s3::operation(&call),
        };
        let name = format!("{}.{}", service.label(), operation.unwrap_or("Unknown"));
        self.count(held, &name);
        let fault = first_hit(&mut held.index.faults, &name);
        match fault {
            Some(FaultKind::Unreachable) => return Ok(Err(Broken::Unreachable)),
            Some(FaultKind::CrashBefore) => return Ok(Err(Broken::Crash)),
            _ => {}
        }
        let refuse = |problem: Problem| {
            let answer = problem.answer(service, self.request_id);
            Ok(Ok(match service {
                // It speaks three protocols.
                Service::CloudWatch => cloudwatch::translated(&call, answer),
                _ => answer,
            }))
        };
        match &scope {
            None => return refuse(Problem::NoCredentials),
            Some(scope) => {
                if let Err(reason) = scope.check(service, self.host) {
                    return refuse(Problem::Scope(reason));
                }
            }
        }
        if operation.is_none() {
            return refuse(Problem::UnknownOperation);
        }
        if held.index.settings.rates && !held.index.buckets.take(&name, now) {
            return refuse(Problem::Throttled);
        }
        if let Some(problem) = fault.and_then(Problem::of) {
            return refuse(problem);
        }
        let answer = call_service(service, &call, held, folder)?;
        Ok(match fault {
            Some(FaultKind::LostAnswer) => Err(Broken::AnswerLost),
            Some(FaultKind::CrashAfter) => Err(Broken::Crash),
            _ => Ok(answer),
        })
    }

    /// Answers a viewer's request for a distribution.
    fn view(
        &self,
        distribution: &str,
        held: &mut Held,
        folder: &Path,
        now: Timestamp,
    ) -> Result<Result<Answer, Broken>, StateError> {
        let method = self.parts.method.as_str();
        let name = format!("viewer.{method}");
        self.count(held, &name);
        match first_hit(&mut held.index.faults, &name) {
            Some(FaultKind::Unreachable) => return Ok(Err(Broken::Unreachable)),
            Some(FaultKind::LostAnswer) => return Ok(Err(Broken::AnswerLost)),
            Some(FaultKind::CrashBefore | FaultKind::CrashAfter) => return Ok(Err(Broken::Crash)),
            Some(FaultKind::Error(status)) => return Ok(Ok(plain(status, "failing\n"))),
            Some(FaultKind::Throttle | FaultKind::Conflict) | None => {}
        }
        let path = self
            .parts
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str());
        let read = viewer::request(&self.parts.headers, self.host, method, path, now);
        let (edge, request) = match read {
            Ok(read) => read,
            Err(reason) => return Ok(Ok(plain(400, &format!("{reason}\n")))),
        };
        let Held {
            index,
            cloudfront,
            stores,
            waf,
            samples,
            origin,
            ..
        } = held;
        let sources = Sources {
            cloudfront: cloudfront.read(folder, index)?,
            stores: stores.read(folder, index)?,
            waf: waf.read(folder, index)?,
            rollout: index.settings.rollout,
            now,
        };
        let Some(view): Option<EdgeView> = sources.view(distribution, edge, &request) else {
            return Ok(Ok(plain(
                502,
                "this edge does not know the distribution yet\n",
            )));
        };
        let decision = decide(&view, &request);
        let kept = samples.read(folder, index)?;
        if viewer::sample(kept, view.web_acl.as_ref(), &request, method, &decision) {
            samples.touch();
        }
        let mut answer = viewer::answer(edge, &decision, self.request_id);
        if answer.status == 200 {
            let origin = origin.read(folder, index)?;
            origin.fill(distribution, method, path, now, &mut answer);
        }
        Ok(Ok(answer))
    }
}

/// Lets the service answer, and marks what it changed.
#[expect(clippy::too_many_lines, reason = "one arm a service")]
fn call_service(
    service: Service,
    call: &Call<'_>,
    held: &mut Held,
    folder: &Path,
) -> Result<Answer, StateError> {
    let Held {
        index,
        cloudfront,
        stores,
        waf,
        samples,
        acm,
        athena,
        cloudwatch,
        glue,
        iam,
        kinesis,
        logs,
        mediaconnect,
        medialive,
        mediapackage,
        mediatailor,
        origin: _,
        s3,
    } = held;
    Ok(match service {
        Service::Sts => sts::handle(call, &index.settings.session),
        Service::CloudFront => {
            let waf = waf.read(folder, index)?;
            let answer = cloudfront::handle(
                call,
                cloudfront.read(folder, index)?,
                stores.read(folder, index)?,
                &|arn| waf.web_acl_exists(arn),
            );
            if answer.changed {
                cloudfront.touch();
                // Stores hold up to 5 MB each: written only by the calls that make or remove one.
                if cloudfront::operation(call).is_some_and(|name| name.ends_with("KeyValueStore")) {
                    stores.touch();
                }
            }
            answer
        }
        Service::Store => {
            let answer = keyvaluestore::handle(call, stores.read(folder, index)?);
            if answer.changed {
                stores.touch();
            }
            answer
        }
        Service::Acm => {
            let answer = acm::handle(call, acm.read(folder, index)?);
            if answer.changed {
                acm.touch();
            }
            answer
        }
        Service::Athena => {
            let slow = std::time::Duration::from_secs(index.settings.query_seconds);
            let buckets = s3.read(folder, index)?.at(folder);
            let logs: &logs::State = logs.read(folder, index)?;
            let catalog: &glue::State = glue.read(folder, index)?;
            let scene = crowd::scene(&cloudwatch.read(folder, index)?.audience);
            let deliver = |buckets: &mut s3::State, bucket: &str, prefix: &str| {
                let occasion = logs::Occasion {
                    account: call.account,
                    now: call.now,
                    scene: &scene,
                    catalog,
                    looked_at: Some((bucket, prefix)),
                };
                logs::deliver(logs, buckets, &occasion)
            };
            let mut world = athena::World {
                catalog,
                buckets,
                deliver: &deliver,
                slow,
                wrote: false,
            };
            let state = athena.read(folder, index)?;
            let answer = athena::handle(call, state, &mut world);
            if world.wrote {
                s3.touch();
            }
            if answer.changed {
                athena.touch();
            }
            answer
        }
        Service::CloudWatch => {
            let additional = cloudfront.read(folder, index)?.monitored();
            let answer = cloudwatch::handle(call, cloudwatch.read(folder, index)?, &additional);
            if answer.changed {
                cloudwatch.touch();
            }
            answer
        }
        Service::Glue => {
            let answer = glue::handle(call, glue.read(folder, index)?);
            if answer.changed {
                glue.touch();
            }
            answer
        }
        Service::Iam => {
            let answer = iam::handle(call, iam.read(folder, index)?);
            if answer.changed {
                iam.touch();
            }
            answer
        }
        Service::Kinesis => {
            let answer = kinesis::handle(call, kinesis.read(folder, index)?);
            if answer.changed {
                kinesis.touch();
            }
            answer
        }
        Service::Logs => {
            let scene = crowd::scene(&cloudwatch.read(folder, index)?.audience);
            let slow = index.settings.query_seconds;
            let cloudfront = cloudfront.read(folder, index)?;
            let answer = logs::handle(
                call,
                logs.read(folder, index)?,
                s3.read(folder, index)?,
                &scene,
                slow,
                &|arn| {
                    let mut ids = cloudfront.distribution_ids();
                    ids.any(|id| arn.rsplit('/').next() == Some(id))
                },
            );
            if answer.changed {
                logs.touch();
                // A new delivery may have changed its bucket's policy.
                if logs::operation(call) == Some("CreateDelivery") {
                    s3.touch();
                }
            }
            answer
        }
        Service::MediaConnect => {
            let answer = mediaconnect::handle(call, mediaconnect.read(folder, index)?);
            if answer.changed {
                mediaconnect.touch();
            }
            answer
        }
        Service::MediaLive => {
            let answer = medialive::handle(call, medialive.read(folder, index)?);
            if answer.changed {
                medialive.touch();
            }
            answer
        }
        Service::MediaPackage => {
            let answer = mediapackage::handle(call, mediapackage.read(folder, index)?);
            if answer.changed {
                mediapackage.touch();
            }
            answer
        }
        Service::MediaTailor => {
            let answer = mediatailor::handle(call, mediatailor.read(folder, index)?);
            if answer.changed {
                mediatailor.touch();
            }
            answer
        }
        Service::S3 => {
            let buckets = s3.read(folder, index)?.at(folder);
            // Logs are delivered when somebody looks.
            let looked_at = s3::looked_at(call);
            let delivered = match &looked_at {
                None => false,
                Some((bucket, prefix)) => {
                    let occasion = logs::Occasion {
                        account: call.account,
                        now: call.now,
                        scene: &crowd::scene(&cloudwatch.read(folder, index)?.audience),
                        catalog: glue.read(folder, index)?,
                        looked_at: Some((bucket, prefix)),
                    };
                    logs::deliver(logs.read(folder, index)?, buckets, &occasion)
                }
            };
            let answer = s3::handle(call, buckets);
            if answer.changed || delivered {
                s3.touch();
            }
            answer
        }
        Service::Waf => {
            let cloudfront = cloudfront.read(folder, index)?;
            let answer = wafv2::handle(
                call,
                waf.read(folder, index)?,
                samples.read(folder, index)?,
                &|arn| !cloudfront.distributions_behind(arn).is_empty(),
            );
            if answer.changed {
                waf.touch();
            }
            answer
        }
    })
}

fn plain(status: u16, text: &str) -> Answer {
    Answer {
        status,
        headers: vec![("content-type", "text/plain".to_owned())],
        body: text.as_bytes().to_vec(),
        changed: false,
    }
}

/// An error and its sources in one line.
fn words(error: &StateError) -> String {
    let mut words = format!("failed to {error}");
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        words.push_str(": ");
        words.push_str(&inner.to_string());
        source = inner.source();
    }
    words
}

/// Says whether a header has this value among others.
pub(super) fn lists(headers: &http::HeaderMap, name: &str, value: &str) -> bool {
    header(headers, name).is_some_and(|list| {
        list.split(',')
            .any(|one| one.trim().eq_ignore_ascii_case(value))
    })
}
