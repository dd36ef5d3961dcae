from skgenre._waveforms import *  # noqa
from skgenre._waveforms import Waveforms, check_finite, check_mono_tracks, check_sampling_rate  # noqa
