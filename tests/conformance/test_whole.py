"""Runs last: every operation that the embedded cloud has was answered and refused."""

import xml.etree.ElementTree as ElementTree

import botocore.session

import kit

# The worked runbook's account has none, and nothing here makes one.
NEVER_DONE = {"cloudfront.GetContinuousDeploymentPolicy", "cloudfront.GetVpcOrigin"}
# Nothing can be wrong with them but credentials and rates.
NEVER_REFUSED = set()


def test_every_operation_was_done_and_refused(strict, request):
    asked_alone = len({item.fspath for item in request.session.items}) < 5
    if asked_alone:
        return
    known = kit.operations_of_the_embedded_cloud()
    assert known - set(strict.succeeded) == NEVER_DONE
    assert known - set(strict.failed) == NEVER_REFUSED


def test_the_strict_look_sees_what_is_wrong():
    strict = kit.Strict()
    session = botocore.session.get_session()
    waf = session.get_service_model("wafv2").operation_model("GetIPSet").output_shape
    strict._json("GetIPSet", waf, {"IPSet": {"Name": "n", "Id": 1, "New": True}, "LockToken": None})
    cloudfront = session.get_service_model("cloudfront").shape_for("GeoRestriction")
    element = ElementTree.fromstring("<G><RestrictionType>none</RestrictionType><Items><Lokation/></Items><X/></G>")
    strict._xml("Geo", cloudfront, element)
    assert strict.problems == [
        "GetIPSet.IPSet.Id: 1 is no string",
        "GetIPSet.IPSet: unknown member New",
        "GetIPSet.IPSet: required ARN is missing",
        "GetIPSet.IPSet: required IPAddressVersion is missing",
        "GetIPSet.IPSet: required Addresses is missing",
        "GetIPSet.LockToken: null",
        "Geo.Items: Lokation in a list of Location",
        "Geo: unknown member X",
        "Geo: required Quantity is missing",
    ]
