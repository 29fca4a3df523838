#!/usr/bin/env python3
"""Writes cases.json: random scenarios and segments, and how k6 describes what it would run of them.

    tests/segments/make.py path/to/k6 > tests/segments/cases.json

k6 says for each scenario how many VUs and iterations it has, and how many VUs all of them need together. It is
stopped as soon as it has said so.
"""

import json
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CASES = 260


def stages(rng, highest, first=1):
    count = rng.randint(1, 4)
    targets = [rng.randint(first if i == 0 else 0, highest) for i in range(count)]
    return [{"duration": f"{rng.randint(0, 40)}s", "target": target} for target in targets]


def scenario(rng):
    vus = rng.randint(1, 30)
    kind = rng.choice(
        ["shared-iterations", "per-vu-iterations", "constant-vus"] + 3 * ["ramping-vus"]
        + ["constant-arrival-rate", "ramping-arrival-rate"]
    )
    options = {
        "shared-iterations": lambda: {"vus": vus, "iterations": vus + rng.randint(0, 60)},
        "per-vu-iterations": lambda: {"vus": vus, "iterations": rng.randint(1, 9)},
        "constant-vus": lambda: {"vus": vus, "duration": f"{rng.randint(1, 90)}s"},
        "ramping-vus": lambda: {
            "startVUs": rng.randint(0, 20),
            "stages": stages(rng, 30),
            "gracefulRampDown": f"{rng.randint(0, 30)}s",
        },
        "constant-arrival-rate": lambda: {
            "rate": rng.randint(1, 100), "timeUnit": f"{rng.randint(1, 9)}s", "duration": f"{rng.randint(1, 60)}s",
            "preAllocatedVUs": vus, "maxVUs": vus + rng.randint(0, 20),
        },
        "ramping-arrival-rate": lambda: {
            "startRate": rng.randint(0, 50), "stages": stages(rng, 60),
            "preAllocatedVUs": vus, "maxVUs": vus + rng.randint(0, 20),
        },
    }[kind]()
    if "iterations" in kind:
        options["maxDuration"] = f"{rng.randint(1, 60)}s"
    return {
        "executor": kind, **options,
        "startTime": f"{rng.choice([0, 0, rng.randint(1, 60)])}s", "gracefulStop": f"{rng.randint(0, 30)}s",
    }


def division(rng):
    """A segment, and the sequence it belongs to; or without one."""
    kind = rng.randint(0, 3)
    if kind == 0:
        return None, None
    if kind == 1:
        parts = rng.randint(2, 7)
        points = [f"{i}/{parts}" if 0 < i < parts else str(i // parts) for i in range(parts + 1)]
    else:
        whole = rng.choice([6, 10, 12, 20, 100])
        inner = sorted(rng.sample(range(1, whole), rng.randint(1, min(5, whole - 1))))
        points = ["0"] + [f"{i}/{whole}" for i in inner] + ["1"]
    index = rng.randrange(len(points) - 1)
    segment = f"{points[index]}:{points[index + 1]}"
    return segment, ",".join(points) if kind < 3 else None


def described(k6, options, segment, sequence):
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script.js")
        script.write_text(f"export const options = {json.dumps(options)}; export default function () {{}}")
        command = [k6, "run", "--paused", "--no-color", "--address", ""]
        command += ["--execution-segment", segment] if segment else []
        command += ["--execution-segment-sequence", sequence] if sequence else []
        run = subprocess.Popen([*command, str(script)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lines, wanted = [], None
        for line in run.stdout:
            line = line.strip()
            if "level=error" in line:
                raise SystemExit(f"{options} {segment} {sequence}: {line}")
            if line.startswith("scenarios: "):
                wanted = 1 + len(options["scenarios"])
            if wanted and line:
                lines.append(line.removeprefix("scenarios: "))
            if len(lines) == wanted:
                break
        run.kill()
        run.wait()
        return lines


def case(k6, seed):
    rng = random.Random(seed)
    options = {"scenarios": {f"s{i}": scenario(rng) for i in range(rng.randint(1, 4))}}
    segment, sequence = division(rng)
    lines = described(k6, options, segment, sequence)
    return {"segment": segment, "sequence": sequence, "scenarios": options["scenarios"], "lines": lines}


def main():
    with ThreadPoolExecutor(4) as pool:
        cases = list(pool.map(lambda seed: case(sys.argv[1], seed), range(CASES)))
    print("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]")


main()
