"""Two eyes: calibration, matching, triangulation to millimetres, the annulus curve through the points."""
