"""The live workflow with boto3: MediaConnect, MediaLive, MediaPackage v2 and MediaTailor."""

import botocore.session
import pytest

import kit

FLOW = "arn:aws:mediaconnect:eu-central-1:111122223333:flow:1-UVNaUlAFVlVTDgMA-9c1f0b7a5e21:cup-final-stadium"
CHANNEL = "1234567"
ENDPOINT = {"ChannelGroupName": "cup-final", "ChannelName": "main", "OriginEndpointName": "hls"}


@pytest.fixture
def media(served, strict):
    """A client of a service in a region, whose answers are looked at."""

    def client(service, region="eu-central-1"):
        made = botocore.session.get_session().create_client(
            service,
            region_name=region,
            endpoint_url=served.url,
            aws_access_key_id=kit.CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=kit.CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )
        made.meta.events.register("before-parse.*.*", strict.look)
        return made

    return client


def test_a_flow_is_active_with_two_encrypted_sources(media):
    flow = media("mediaconnect").describe_flow(FlowArn=FLOW)["Flow"]
    assert flow["Status"] == "ACTIVE"
    assert [source["Transport"]["MinLatency"] for source in flow["Sources"]] == [400, 400]
    assert all(source["Decryption"]["KeyType"] == "srt-password" for source in flow["Sources"])
    assert flow["SourceFailoverConfig"]["State"] == "ENABLED"
    content = media("mediaconnect").describe_flow_source_metadata(FlowArn=FLOW)
    [program] = content["TransportMediaInfo"]["Programs"]
    assert {stream["StreamType"] for stream in program["Streams"]} == {"Video", "Audio"}


def test_a_channel_runs_two_pipelines_into_two_regions(media):
    live = media("medialive")
    channel = live.describe_channel(ChannelId=CHANNEL)
    assert (channel["State"], channel["PipelinesRunningCount"]) == ("RUNNING", 2)
    regions = {
        to["MediaPackageRegionName"]
        for destination in channel["Destinations"]
        for to in destination["MediaPackageSettings"]
    }
    assert regions == {"eu-central-1", "eu-west-1"}
    assert live.list_alerts(ChannelId=CHANNEL, StateFilter="SET")["Alerts"] == []
    [attached] = channel["InputAttachments"]
    given = live.describe_input(InputId=attached["InputId"])
    assert (given["State"], given["MediaConnectFlows"]) == ("ATTACHED", [{"FlowArn": FLOW}])


@pytest.mark.parametrize("region", ["eu-central-1", "eu-west-1"])
def test_both_regions_package_under_the_same_names(media, region):
    package = media("mediapackagev2", region)
    channel = package.get_channel(ChannelGroupName="cup-final", ChannelName="main")
    assert channel["InputType"] == "CMAF"
    assert channel["OutputHeaderConfiguration"]["PublishMQCS"] is True
    endpoint = package.get_origin_endpoint(**ENDPOINT)
    assert endpoint["Arn"].split(":")[3] == region
    assert "STALE_MANIFEST" in endpoint["ForceEndpointErrorConfiguration"]["EndpointErrorConditions"]
    policy = package.get_origin_endpoint_policy(**ENDPOINT)["Policy"]
    assert "mediapackagev2:GetHeadObject" in policy


def test_ads_are_fetched_before_the_breaks(media):
    tailor = media("mediatailor")
    configuration = tailor.get_playback_configuration(Name="cup-final")
    assert configuration["CdnConfiguration"]["AdSegmentUrlPrefix"].startswith("https://live.example.com/")
    for kind, count in [("SINGLE", 1), ("RECURRING", 0), ("ALL", 1)]:
        listed = tailor.list_prefetch_schedules(PlaybackConfigurationName="cup-final", ScheduleType=kind)
        assert len(listed["Items"]) == count
    assert tailor.list_alerts(ResourceArn=configuration["PlaybackConfigurationArn"])["Items"] == []


def test_what_is_not_there_or_elsewhere_is_not_found(media):
    flow = FLOW.replace("stadium", "nowhere")
    assert kit.refused(media("mediaconnect").describe_flow, FlowArn=flow) == "NotFoundException"
    content = media("mediaconnect").describe_flow_source_metadata
    assert kit.refused(content, FlowArn=flow) == "NotFoundException"
    assert kit.refused(media("mediaconnect").describe_flow, FlowArn="nonsense") == "BadRequestException"
    elsewhere = media("medialive", "us-east-1")
    assert kit.refused(elsewhere.describe_channel, ChannelId=CHANNEL) == "NotFoundException"
    assert kit.refused(elsewhere.list_alerts, ChannelId=CHANNEL) == "NotFoundException"
    assert kit.refused(elsewhere.describe_input, InputId=f"{CHANNEL}1") == "NotFoundException"
    package = media("mediapackagev2", "us-east-1")
    assert kit.refused(package.get_channel, ChannelGroupName="cup-final", ChannelName="main") == "ResourceNotFoundException"
    assert kit.refused(package.get_origin_endpoint, **ENDPOINT) == "ResourceNotFoundException"
    assert kit.refused(package.get_origin_endpoint_policy, **ENDPOINT) == "ResourceNotFoundException"
