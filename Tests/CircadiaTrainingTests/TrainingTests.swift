import Testing

import CircadiaTraining

/// All tests of this target, one after the other: they change the number of threads.
@Suite(.serialized) struct TrainingTests {}
