"""The pipelines of docs/ci: their structure, and their scripts run on the embedded cloud.

What only the services themselves can do is left out: installing, taking the role, artifacts.
"""

import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
import yaml

import kit

EXAMPLES = kit.ROOT / "docs" / "ci"


class Loader(yaml.SafeLoader):
    """YAML 1.2's booleans alone: GitHub's `on` is a key, not a truth."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(true|false)$"), list("tf"))


def load(name):
    return yaml.load((EXAMPLES / name).read_text(), Loader)


GITHUB = load("github-actions.yml")
GITLAB = load("gitlab-ci.yml")
KEYWORDS = {"stages", "variables", "default"}
GITLAB_JOBS = {
    name: job for name, job in GITLAB.items() if name not in KEYWORDS and not name.startswith(".")
}


CHECK = "onair runbook check --deny-warnings"


@pytest.fixture
def runner(tmp_path):
    """A job's machine: a checkout, and an `onair` that rehearses."""
    desk = kit.Desk()
    bin = tmp_path / "bin"
    bin.mkdir()
    wrapper = bin / "onair"
    wrapper.write_text(f'#!/bin/sh\nexec "{kit.binary()}" --rehearsal "$@"\n')
    wrapper.chmod(0o755)
    environment = {
        **desk.environment,
        "PATH": f"{bin}{os.pathsep}{desk.environment['PATH']}",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "CI_PROJECT_DIR": str(desk.folder),
    }

    def run(script, variables, expect=0):
        # The worked example has a document's account and domain, which a pipeline must not let pass.
        if script.strip() == CHECK:
            expect = 3
        named = {name: value for name, value in variables.items() if name != "CARGO_HOME"}
        completed = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=desk.folder,
            env={**environment, **named, "CARGO_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=120,
        )
        shown = f"{script}\nexit {completed.returncode}\n{completed.stdout}\n{completed.stderr}"
        assert completed.returncode == expect, shown
        return completed.stdout

    run.folder = desk.folder
    run.summary = tmp_path / "summary.md"
    yield run
    desk.close()


def bare(runner):
    """The account before anything was provisioned."""
    runner("onair sandbox reset --bare --rates off --fault rollout=0s --fault rollout-skew=0s", variables(GITHUB["env"]))


def variables(section):
    return {name: str(value) for name, value in section.items()}


def github_scripts(job):
    """What a job runs, but for the installation."""
    steps = GITHUB["jobs"][job]["steps"]
    return [step["run"] for step in steps if "run" in step and step["name"] != "Install onair"]


def gitlab_script(job):
    """A job's script as GitLab joins it, but for the installation."""
    job = GITLAB_JOBS[job]
    lines = GITLAB.get(job.get("extends"), {}).get("before_script", job.get("before_script", []))
    return "\n".join([line for line in lines if line != GITLAB[".install"]] + job["script"])


def test_github_actions_are_pinned_and_hold_the_least():
    assert set(GITHUB) == {"name", "on", "permissions", "concurrency", "env", "jobs"}
    assert GITHUB["permissions"] == {"contents": "read"}
    assert GITHUB["concurrency"]["cancel-in-progress"] is False
    for name, job in GITHUB["jobs"].items():
        assert {"runs-on", "timeout-minutes", "steps", "if"} <= set(job), name
        assert not job["runs-on"].endswith("latest")
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        for step in job["steps"]:
            assert ("uses" in step) != ("run" in step), step
            if "uses" in step:
                assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), step
            else:
                # An expression inside a script is how text from outside becomes a command.
                assert "${{" not in step["run"], step


def test_gitlab_jobs_are_complete():
    assert ":" in GITLAB["default"]["image"] and not GITLAB["default"]["image"].endswith("latest")
    for name, job in GITLAB_JOBS.items():
        assert job["stage"] in GITLAB["stages"], name
        assert all(isinstance(line, str) for line in job["script"]), name
        if "extends" in job:
            assert job["extends"] in GITLAB and "AWS_ROLE_ARN" in job["variables"], name
    assert "id_tokens" in GITLAB[".aws"]
    assert GITLAB["default"]["interruptible"] is False


def test_no_key_stands_in_an_example():
    for example in EXAMPLES.iterdir():
        assert not re.search(r"AKIA|aws_secret|secret_access", example.read_text(), re.IGNORECASE)


def test_the_runbook_is_checked_first(runner):
    runner("onair runbook check --deny-warnings", variables(GITHUB["env"]))
    for job in GITHUB["jobs"]:
        assert github_scripts(job)[0] == "onair runbook check --deny-warnings"
    runner(gitlab_script("runbook"), variables(GITLAB["variables"]))


def test_github_shows_a_plan_and_provisions_to_a_go(runner):
    bare(runner)
    environment = variables(GITHUB["env"])
    for script in github_scripts("plan"):
        runner(script, environment)
    assert runner.summary.read_text().strip(), "the plan is in the summary"
    runner.summary.unlink()
    for script in github_scripts("provision"):
        runner(script, environment)
    upload = GITHUB["jobs"]["provision"]["steps"][-1]
    for path in upload["with"]["path"].split():
        assert (runner.folder / path).is_file(), path
    assert "GO" in runner.summary.read_text()
    ElementTree.parse(runner.folder / "preflight.xml")


def test_gitlab_shows_a_plan_and_provisions_to_a_go(runner):
    bare(runner)
    environment = {**variables(GITLAB["variables"]), "ONAIR_ID_TOKEN": "not-a-token"}
    for job in ("plan", "provision", "preflight"):
        runner(gitlab_script(job), environment)
        artifacts = GITLAB_JOBS[job]["artifacts"]
        for path in artifacts["paths"]:
            assert (runner.folder / path).is_file(), path
    ElementTree.parse(runner.folder / GITLAB_JOBS["preflight"]["artifacts"]["reports"]["junit"])


def test_a_plan_that_fails_fails_the_job(runner):
    runbook = runner.folder / "runbooks" / "cup-final.toml"
    runbook.write_text(runbook.read_text().replace("[geo]", "[goe]"))
    runner(github_scripts("plan")[-1], variables(GITHUB["env"]), expect=2)
