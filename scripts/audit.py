"""Compare what is installed with the known vulnerabilities, by pip-audit, which uv fetches.

    .venv/bin/python scripts/audit.py

Where the list of vulnerabilities cannot be reached it says so in one line, and ends with 0.
"""

import json
import subprocess
import sys
import sysconfig

# By identifier: why a known vulnerability does not concern this package.
EXPLAINED: dict[str, str] = {}
LIMIT = 120


def main() -> int:
    """Print what was found; 1 where a vulnerability has no explanation."""
    command = [
        sys.executable, "-m", "uv", "tool", "run", "--quiet", "--from", "pip-audit>=2.7",
        "pip-audit",
        "--path", sysconfig.get_path("purelib"), "--skip-editable", "--format", "json",
        "--progress-spinner", "off", "--timeout", "10",
    ]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
        packages = json.loads(done.stdout)["dependencies"]
    except subprocess.TimeoutExpired:
        return not_audited(f"no answer within {LIMIT} s")
    except ValueError:
        return not_audited((done.stderr.strip().splitlines() or ["no output"])[-1])
    audited = [each for each in packages if "skip_reason" not in each]
    if not audited:
        return not_audited("the list of vulnerabilities knows none of the packages")
    found = [(each, flaw) for each in audited for flaw in each["vulns"]]
    for each, flaw in found:
        reason = EXPLAINED.get(flaw["id"], "NOT EXPLAINED")
        print(f"{each['name']} {each['version']}: {flaw['id']}: {reason}")
    print(f"audit: {len(audited)} of {len(packages)} packages, {len(found)} vulnerabilities")
    return int(any(flaw["id"] not in EXPLAINED for _, flaw in found))


def not_audited(reason: str) -> int:
    """Say why nothing was audited; 0, because that is no fault of the package."""
    print(f"audit: not done, the list of vulnerabilities cannot be read: {reason}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
