"""As little as looks like a responder from outside: deletes the pod where it is to act, and tells its environment."""

import json
import os
import pathlib
import urllib.error
import urllib.request

known = {key: value for key, value in os.environ.items() if key.startswith("KRE_")}
outcome = "recorded"
if known["KRE_STEP"] == "act":
    path = f"/api/v1/namespaces/{known['KRE_NAMESPACE']}/pods/{known['KRE_POD']}"
    asked = urllib.request.Request(known["KRE_API"] + path, method="DELETE")
    try:
        urllib.request.urlopen(asked, timeout=5).close()
        outcome = "deleted"
    except urllib.error.HTTPError as error:
        outcome = str(error.code)
known["outcome"] = outcome
known["allowed"] = (pathlib.Path(known["KRE_SETTINGS"]) / "mode").read_text()
if outcome != "404":
    pathlib.Path(known["KRE_OUT"], "outcome").write_text(outcome)
print(json.dumps(known))
raise SystemExit(1 if outcome == "403" else 0)
