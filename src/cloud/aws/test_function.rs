//! CloudFront functions, tried by `TestFunction`: nothing is changed by it.

use aws_sdk_cloudfront::types::FunctionStage as SdkStage;
use aws_smithy_types::Blob;

use super::Cloud;
use crate::cloud::{CloudError, FunctionStage, TestAnswer};

impl Cloud {
    /// Reads the version of a function's stage, which `TestFunction` asks for.
    pub(crate) async fn function_version(
        &self,
        name: &str,
        stage: FunctionStage,
    ) -> Result<String, CloudError> {
        let call = self.reading("cloudfront.DescribeFunction", format!("function {name}"));
        let output = self
            .cloudfront
            .describe_function()
            .name(name)
            .stage(sdk_stage(stage))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        call.required(output.e_tag, "ETag")
    }

    /// Runs a stage of a function on an event, with the real key value store.
    pub(crate) async fn test_function(
        &self,
        name: &str,
        etag: &str,
        stage: FunctionStage,
        event: &str,
    ) -> Result<TestAnswer, CloudError> {
        let call = self.reading("cloudfront.TestFunction", format!("function {name}"));
        let output = self
            .cloudfront
            .test_function()
            .name(name)
            .if_match(etag)
            .stage(sdk_stage(stage))
            .event_object(Blob::new(event.as_bytes()))
            .customize()
            .interceptor(call.watch())
            .send()
            .await
            .map_err(|error| call.failure(&error))?;
        let result = call.required(output.test_result, "TestResult")?;
        Ok(TestAnswer {
            utilization: result
                .compute_utilization
                .and_then(|percent| percent.trim().parse().ok()),
            error: result.function_error_message.unwrap_or_default(),
            output: result.function_output.unwrap_or_default(),
        })
    }
}

fn sdk_stage(stage: FunctionStage) -> SdkStage {
    match stage {
        FunctionStage::Development => SdkStage::Development,
        FunctionStage::Live => SdkStage::Live,
    }
}
