"""What turns a warning into an error."""

import warnings
