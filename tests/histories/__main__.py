"""Take the released versions of scientific packages for a history of somebody's own modules.

``python -m tests.histories`` downloads ten successive versions of each package that have wheels, with pip, and puts one
after the other in place of the modules beside a model. At each version the model runs twice, in a process of its
own each time: every stored result must be that of the plain method, and the second process must find all of them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

RELEASES = {
    "ambiance": ("0.3.0", "0.3.1", "0.3.2", "1.0.0", "1.0.1", "1.0.2", "1.1.0", "1.1.2", "1.2.0", "1.3.0"),
    "pymap3d": ("1.7.0", "1.7.1", "1.7.2", "1.7.3", "2.7.0", "2.9.0", "2.9.1", "3.0.1", "3.1.0", "3.2.0"),
}

MODELS = {
    "ambiance": """
        import ambiance

        @keyed_by("h")
        class Model:
            h = 9000.0

            @stored
            def temperature(self):
                return [float(each) for each in ambiance.Atmosphere(self.h).temperature]

            @stored
            def state(self):
                air = ambiance.Atmosphere(self.h)
                return [float(x[0]) for x in (air.pressure, air.density, air.speed_of_sound, air.dynamic_viscosity)]

            @stored
            def molecules(self):
                air = ambiance.Atmosphere(self.h)
                return float(air.mean_free_path[0]), float(air.number_density[0])

            @stored
            def described(self):
                return str(ambiance.Atmosphere(self.h)), float(ambiance.Atmosphere.from_pressure(2e4).h[0])
        """,
    "pymap3d": """
        import pymap3d
        from pymap3d import vincenty
        from pymap3d.haversine import anglesep

        @keyed_by("lat", "lon")
        class Model:
            lat, lon = 42.0, -82.0

            @stored
            def position(self):
                return [float(each) for each in pymap3d.geodetic2ecef(self.lat, self.lon, 200.0)]

            @stored
            def and_back(self):
                return [float(each) for each in pymap3d.ecef2geodetic(*self.position())]

            @stored
            def seen(self):
                return [float(each) for each in pymap3d.geodetic2aer(42.1, -82.1, 3000.0, self.lat, self.lon, 200.0)]

            @stored
            def distance(self):
                return [float(each) for each in vincenty.vdist(self.lat, self.lon, 38.0, -60.0)[:2]]

            @stored
            def angle(self):
                return float(anglesep(self.lat, self.lon, 38.0, -60.0))
        """,
}

RUN = """
import json, warnings
import stored as library
from stored import keyed_by, stored

{model}

model = Model()

def outcome(name):
    try:
        return repr(getattr(model, name)())
    except Exception as error:  # of the version, which may lack what others have
        return f"{{type(error).__name__}}: {{error}}"

names = [name for name in vars(Model) if hasattr(vars(Model)[name], "cache_info")]
with library.configure(disable=True):
    plain = {{name: outcome(name) for name in names}}
found = {{name: outcome(name) for name in names}}
computed = [name for name in names if getattr(model, name).cache_info().misses and "Error: " not in plain[name]]
print(json.dumps([plain, found, computed]))
"""


def download(package: str, version: str, folder: Path) -> Path:
    """The folder with the modules of a version."""
    wheels = folder / f"{package}-{version}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--dest", wheels, f"{package}=={version}"], check=True)
    (wheel,) = wheels.iterdir()
    zipfile.ZipFile(wheel).extractall(wheels / "modules")
    return wheels / "modules" / package


def run(project: Path, cache: Path) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """What plain methods give, what stored ones give, and which of these computed."""
    environment = {**os.environ, "STORED_CACHE_DIR": str(cache), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run([sys.executable, "run.py"], cwd=project, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    plain, found, computed = json.loads(done.stdout)
    return plain, found, computed


def follow(package: str) -> str:
    """Run all versions of a package, one after the other; a line of what was seen."""
    results: set[str] = set()
    recomputed = calls = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        project = folder / "project"
        project.mkdir()
        model = "\n".join(line.removeprefix("        ") for line in MODELS[package].splitlines())
        (project / "run.py").write_text(RUN.format(model=model))
        for version in RELEASES[package]:
            shutil.rmtree(project / package, ignore_errors=True)
            shutil.copytree(download(package, version, folder), project / package)
            for is_second in (False, True):
                plain, found, computed = run(project, folder / "cache")
                assert found == plain, f"{package} {version}: stored methods gave {found}, plain ones {plain}"
                assert not (is_second and computed), f"{package} {version}: {computed} were computed again"
                recomputed += len(computed)
                calls += len(plain)
            results.add(json.dumps(plain))
    assert len(results) > 1, f"no version of {package} changes a result, so that nothing is seen by it"
    return (
        f"{package}: {len(RELEASES[package])} versions with {len(results)} different results, {calls} calls right,"
        f" {recomputed} computed"
    )


if __name__ == "__main__":
    with ThreadPoolExecutor() as pool:
        for line in pool.map(follow, RELEASES):
            print(line, flush=True)
