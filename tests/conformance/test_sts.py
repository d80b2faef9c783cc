"""STS: who is asking."""

import botocore
import pytest

import kit


def test_everyone_is_the_one_role_of_the_account(served, strict):
    sts = kit.client("sts", served.url, strict)
    caller = sts.get_caller_identity()
    assert caller["Account"] == kit.ACCOUNT
    assert caller["Arn"].startswith(f"arn:aws:sts::{kit.ACCOUNT}:assumed-role/")
    assert caller["UserId"]


def test_other_operations_are_not_here(served, strict):
    sts = kit.client("sts", served.url, strict)
    assert kit.refused(sts.get_session_token) == "InvalidAction"


def test_nobody_is_asked_for_credentials_in_vain(served, strict):
    unsigned = kit.client("sts", served.url, strict, signature_version=botocore.UNSIGNED)
    assert kit.refused(unsigned.get_caller_identity) == "MissingAuthenticationToken"
    unsigned = kit.client("wafv2", served.url, strict, signature_version=botocore.UNSIGNED)
    code = kit.refused(unsigned.list_ip_sets, Scope="CLOUDFRONT")
    assert code == "MissingAuthenticationTokenException"


@pytest.mark.parametrize("service", ["sts", "wafv2", "cloudfront"])
def test_a_client_without_a_custom_endpoint_reaches_it_through_the_proxy(served, strict, service, monkeypatch):
    # Plain HTTP to AWS's own host names: the proxy answers for them.
    host = {"sts": "sts.us-east-1", "wafv2": "wafv2.us-east-1", "cloudfront": "cloudfront"}[service]
    monkeypatch.setenv("HTTP_PROXY", served.url)
    client = kit.client(service, f"http://{host}.amazonaws.com", strict)
    answer = {
        "sts": lambda: client.get_caller_identity()["Account"],
        "wafv2": lambda: client.list_ip_sets(Scope="CLOUDFRONT")["IPSets"],
        "cloudfront": lambda: client.list_distributions()["DistributionList"]["Items"],
    }[service]()
    assert answer
