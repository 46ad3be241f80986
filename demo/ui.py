"""`make demo-ui`: leaves the demo's Airflow running until Ctrl-C."""

from __future__ import annotations

import signal
import sys

from rich.console import Console

from demo.airflow_home import USER, AirflowHome, AirflowHomeError
from demo.main import DATA, HOME, ROOT, SETTINGS, interrupt
from demo.prepare import prepare


def main() -> int:
    """Serve what `make demo` left, or an empty Airflow with the same pipelines."""
    console = Console()
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    prepare(DATA / "raw")
    # Here a pipeline file that is edited should show soon.
    home = AirflowHome(HOME, ROOT / "dags", {"AIRFLOW__ETL__ENVIRONMENT": SETTINGS["AIRFLOW__ETL__ENVIRONMENT"]})
    try:
        with home:
            console.print(f"Airflow: {home.url}\nlogin:   {USER}\npassword: {home.password}", highlight=False)
            console.print("Ctrl-C stops it.")
            signal.pause()
    except AirflowHomeError as error:
        console.print(str(error), style="red", highlight=False, markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("\nStopping …")
    return 0


if __name__ == "__main__":
    sys.exit(main())
