"""`helm test`: one of the services leads to this slot, which runs this release and is ready."""

import json
import os
import sys
import urllib.error
import urllib.request

SERVICES = os.environ["SERVICES"].split(",")
WANTED = {"slot": os.environ["SLIPWAY_SLOT"], "release": os.environ["SLIPWAY_RELEASE"]}


def get(service, path):
    with urllib.request.urlopen(f"http://{service}{path}", timeout=5) as answer:
        return json.load(answer)


for service in SERVICES:
    try:
        found = {key: get(service, "/version").get(key) for key in WANTED}
        print(f"{service} leads to {found}", flush=True)
        if found == WANTED:
            print(f"{service}: {get(service, '/health/ready')['status']}")
            sys.exit(0)
    except (urllib.error.URLError, OSError, ValueError) as error:
        print(f"{service}: {error}", flush=True)
sys.exit(f"no service leads to {WANTED}")
