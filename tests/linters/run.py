"""Three readers of the templates: SAM's own, AWS's rules for serverless ones, and checkov.

What they know is mostly not ours to test. What is left out, and why, stands in the files beside
this one.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # SAM asks for one; nothing is called

from tests.unit.template import ROOT, expanded

HERE = Path(__file__).parent
SAM, CHECKOV = (ROOT / ".local" / name / "bin" for name in ("sam", "checkov"))
EXPANDED = ROOT / ".local" / "reports" / "expanded.json"
"""template.yaml as CloudFormation gets it: checkov does not know SAM."""
ALARMS = "infra/monitoring.yaml"


def commands() -> list[list[str | Path]]:
    cfn_lint, checkov = HERE / "cfn-lint.yaml", HERE / "checkov.yaml"
    return [
        [SAM / "sam", "validate", "--lint"],
        [SAM / "cfn-lint", "--config-file", cfn_lint, "-t", "template.yaml", ALARMS],
        [CHECKOV / "checkov", "--config-file", checkov, "-f", EXPANDED, ALARMS],
    ]


def main() -> int:
    template = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": expanded()}
    EXPANDED.parent.mkdir(parents=True, exist_ok=True)
    EXPANDED.write_text(json.dumps(template, default=str))
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0"}
    # A path of ours must not lead a tool with packages of its own to these.
    environment.pop("PYTHONPATH", None)
    codes = []
    for command in commands():
        print(f"- {Path(command[0]).name}", flush=True)
        codes.append(subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode)
    return int(any(codes))


if __name__ == "__main__":
    sys.exit(main())
