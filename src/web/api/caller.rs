//! Who calls the API: the token decides the platform.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, web};
use sha2::{Digest, Sha256};

use crate::domain::configuration::Configuration;
use crate::domain::id::Signature;
use crate::domain::platform::Platform;
use crate::domain::query::Query;
use crate::flows::{Gateway, Refusal};
use crate::web::front_door::vouch;
use crate::web::limits::Limits;
use crate::web::problem::Problem;

/// The platform that calls, by a call whose tool is there and whose parameters are well-formed.
pub(super) struct Caller {
    pub(super) platform: Arc<Platform>,
    configuration: Arc<Configuration>,
}

impl Caller {
    /// The tool of the path.
    pub(super) fn tool(&self, signature: &str) -> Result<Signature, Refusal> {
        let tool = self
            .configuration
            .tool(signature)
            .ok_or(Refusal::UnknownTool)?;
        Ok(tool.signature.clone())
    }

    /// Counts a call that has a server asked, unless there were too many.
    pub(super) fn asks(&self, limits: &Limits) -> Result<(), Problem> {
        limits.call(&self.platform.id)
    }

    /// The same of one that moves a file.
    pub(super) fn moves_a_file(&self, limits: &Limits) -> Result<(), Problem> {
        limits.file(&self.platform.id)
    }

    /// What every call is checked for: that there is its tool, if it names one, and that no reader of its parameters
    /// may believe another half of them.
    fn check(&self, request: &HttpRequest) -> Result<(), Refusal> {
        if let Some(signature) = request.match_info().get("signature") {
            self.tool(signature)?;
        }
        Ok(Query::parse(request.query_string()).check()?)
    }

    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let gateway = request
            .app_data::<web::Data<Gateway>>()
            .ok_or_else(|| Problem::Defect("the application has no gateway".to_owned()))?;
        let token = request
            .headers()
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .filter(|token| !token.is_empty())
            .ok_or(Refusal::ApiToken)?;
        let configuration = gateway.configuration();
        // Looked up by its hash: how long that takes says nothing of the token.
        let hash = Sha256::digest(token).into();
        let platform = configuration
            .platform_by_token(&hash)
            .ok_or(Refusal::ApiToken)?
            .clone();
        vouch(request);
        let caller = Self {
            platform,
            configuration,
        };
        caller.check(request)?;
        Ok(caller)
    }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}
