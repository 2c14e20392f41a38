"""mltox: how toxic the public conversation on a topic is."""

import os

# ONNX Runtime's own builds report to their maker from 1.29 on: they look up his host and leave an
# id of the device in the home folder, unless this is set when the library is first loaded. Posts
# are other people's; who wants to report sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
