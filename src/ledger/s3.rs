//! The store in an S3 bucket: `object_store`'s client, given our credentials and our HTTP stack.
//!
//! Its own stack has neither SSO nor the profile chain, and its reqwest would be a second TLS
//! set-up to configure; so credentials come from `aws-config`'s provider and requests go through
//! the connector that the AWS SDK's clients use. One proxy, one set of roots, one cipher provider.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector as SmithyConnector, SharedHttpConnector};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use http_body_util::BodyExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder, AwsCredential, S3ConditionalPut};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{BackoffConfig, ClientOptions, CredentialProvider, RetryConfig};

/// Retries of one request. The store's own bounds end the whole call earlier.
const RETRIES: usize = 3;

/// Where the bucket is and how to get in.
#[derive(Debug, Clone)]
pub(crate) struct S3Options {
    /// The bucket's name.
    pub(crate) bucket: String,
    /// What every key starts with, without slashes at its ends; may be empty.
    pub(crate) prefix: String,
    /// The bucket's region.
    pub(crate) region: String,
    /// An endpoint that is not AWS's, with its scheme.
    pub(crate) endpoint: Option<String>,
    /// Allow `http://` endpoints.
    pub(crate) allow_http: bool,
    /// `https://host/bucket/key` instead of `https://bucket.host/key`; emulators want it.
    pub(crate) path_style: bool,
    /// Who signs; from `aws-config`. Without one, requests are not signed.
    pub(crate) credentials: Option<SharedCredentialsProvider>,
    /// The HTTP connector to use; without one, the SDK's default with ring.
    pub(crate) connector: Option<SharedHttpConnector>,
}

impl S3Options {
    /// How messages name the store.
    pub(crate) fn name(&self) -> String {
        let place = format!("s3://{}/{}", self.bucket, self.prefix);
        let place = place.trim_end_matches('/');
        match &self.endpoint {
            Some(endpoint) => format!("{place} at {endpoint}"),
            None => place.to_owned(),
        }
    }

    /// The client for these options.
    ///
    /// # Errors
    /// When the options do not fit together, such as an endpoint that is no URL.
    pub(crate) fn client(&self) -> object_store::Result<AmazonS3> {
        let connector = self.connector.clone().unwrap_or_else(|| {
            SharedHttpConnector::new(
                aws_smithy_http_client::Connector::builder()
                    .tls_provider(Provider::Rustls(CryptoMode::Ring))
                    .build(),
            )
        });
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&self.bucket)
            .with_region(&self.region)
            .with_allow_http(self.allow_http)
            .with_virtual_hosted_style_request(!self.path_style)
            .with_conditional_put(S3ConditionalPut::ETagMatch)
            .with_http_connector(Connector(connector))
            .with_retry(RetryConfig {
                backoff: BackoffConfig {
                    init_backoff: Duration::from_millis(50),
                    max_backoff: Duration::from_secs(1),
                    base: 2.0,
                },
                max_retries: RETRIES,
                retry_timeout: Duration::from_secs(10),
            });
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        builder = match &self.credentials {
            Some(provider) => builder.with_credentials(Arc::new(Credentials(provider.clone()))),
            None => builder.with_skip_signature(true),
        };
        builder.build()
    }
}

/// `aws-config`'s credentials in `object_store`'s words. The provider caches and refreshes.
#[derive(Debug)]
struct Credentials(SharedCredentialsProvider);

#[async_trait]
impl CredentialProvider for Credentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        match self.0.provide_credentials().await {
            Ok(found) => Ok(Arc::new(AwsCredential {
                key_id: found.access_key_id().to_owned(),
                secret_key: found.secret_access_key().to_owned(),
                token: found.session_token().map(str::to_owned),
            })),
            Err(error) => Err(object_store::Error::Unauthenticated {
                path: "credentials".to_owned(),
                source: Box::new(error),
            }),
        }
    }
}

/// The SDK's HTTP connector in `object_store`'s words.
#[derive(Debug, Clone)]
struct Connector(SharedHttpConnector);

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait]
impl HttpService for Connector {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let unknown = |error| HttpError::new(HttpErrorKind::Unknown, error);
        let (parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let request = http::Request::from_parts(parts, SdkBody::from(body));
        let request = request.try_into().map_err(unknown)?;
        let response = self.0.call(request).await.map_err(|error| {
            let kind = if error.is_timeout() {
                HttpErrorKind::Timeout
            } else if error.is_io() {
                HttpErrorKind::Connect
            } else {
                HttpErrorKind::Unknown
            };
            HttpError::new(kind, error)
        })?;
        let (parts, body) = response.try_into_http1x().map_err(unknown)?.into_parts();
        // Whole at once: entries are small, and a page of a listing is bounded.
        let bytes = ByteStream::new(body)
            .collect()
            .await
            .map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))?
            .into_bytes();
        Ok(http::Response::from_parts(parts, bytes.into()))
    }
}
