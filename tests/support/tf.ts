/** TensorFlow.js for tests, whether an engine has started or not: lib/ loads it with its first engine. */
export * from "npm:@tensorflow/tfjs@4.22.0";
