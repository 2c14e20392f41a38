"""perspective-api-client of npm, unmodified, under a CA of our own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.serving.clients.conftest import Google, told

PACKAGE = "perspective-api-client@3.1.0"
HERE = """\
const https = require('https');
const plain = https.Agent.prototype.createConnection;
https.Agent.prototype.createConnection = function (options, ...rest) {
  if (options.host === 'commentanalyzer.googleapis.com')
    options = {...options, host: '127.0.0.1', port: +process.env.TEST_PORT,
               servername: 'commentanalyzer.googleapis.com'};
  return plain.call(this, options, ...rest);
};
"""
SCRIPT = """\
const Perspective = require('perspective-api-client');
(async () => {
  const client = new Perspective({apiKey: 'key-of-ours'});
  const one = await client.analyze('You are <b>an</b> idiot 😀.');
  const many = await client.analyze(
    {comment: {text: 'You are an idiot.'}, requestedAttributes: {TOXICITY: {}, INSULT: {}},
     languages: ['en'], clientToken: 't'}, {doNotStore: false});
  const named = await client.analyze('You are an idiot.', {attributes: ['toxicity', 'threat']});
  const refused = [];
  for (const [key, text, options] of [
    ['wrong', 'a comment', {}],
    ['key-of-ours', ' ', {validate: false}],
    ['key-of-ours', 'a comment', {attributes: ['spam']}]])
    try {
      await new Perspective({apiKey: key}).analyze(text, options);
    } catch (error) {
      refused.push([error.name, error.message, error.response.status]);
    }
  console.log('ANSWER', JSON.stringify([one, many, named, refused]));
})();
"""


@pytest.fixture(scope="session")
def package(pytestconfig: pytest.Config) -> Path:
    cache = pytestconfig.cache
    assert cache is not None
    folder = cache.mkdir("npm") / PACKAGE.replace("@", "-")
    if not (folder / "done").exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm is not installed")
        folder.mkdir(exist_ok=True)
        done = subprocess.run(
            [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"npm does not serve {PACKAGE}: {done.stderr[-300:]}")
        (folder / "done").touch()
    return folder


def test_perspective_api_client(package: Path, google: Google, tmp_path: Path) -> None:
    (tmp_path / "here.js").write_text(HERE)
    node = shutil.which("node")
    assert node is not None
    environment = {
        **os.environ,
        "NODE_EXTRA_CA_CERTS": str(google.ca),
        "TEST_PORT": str(google.process.port),
    }
    command = [node, "--require", str(tmp_path / "here.js"), "-e", SCRIPT]
    one, many, named, refused = told(command, environment, cwd=package)
    toxicity = one["attributeScores"]["TOXICITY"]
    assert toxicity["summaryScore"]["value"] > 0.8
    assert toxicity["spanScores"][0]["end"] == len("You are an idiot 😀.") + 1
    assert many["clientToken"] == "t" and list(many["attributeScores"]) == ["TOXICITY", "INSULT"]
    assert list(named["attributeScores"]) == ["TOXICITY", "THREAT"]
    assert refused == [
        ["ResponseError", "API key not valid. Please pass a valid API key.", 400],
        ["ResponseError", "Comment must be non-empty.", 400],
        ["ResponseError", "Unknown requested attribute: SPAM", 400],
    ]
