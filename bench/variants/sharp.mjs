// The usual code with sharp: one pipeline a variant, each from the source. Reads "<directory of photos>" as its
// argument and {"formats": [...], "photos": n, "inFlight": n} a line; answers {"seconds": s} a line.
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [directory, modules] = process.argv.slice(2);
const sharp = createRequire(join(modules, 'package.json'))('sharp');
const photos = readdirSync(directory).sort().map((name) => readFileSync(join(directory, name)));
const sizes = [[1080, null], [640, null], [320, null], [150, 150]];
const encoders = {
  jpeg: (pipeline) => pipeline.jpeg({ quality: 80 }),
  webp: (pipeline) => pipeline.webp({ quality: 80, effort: 2 }),
};

sharp.cache(false);

function variants(photo, formats) {
  return Promise.all(sizes.flatMap(([width, height]) => {
    const pipeline = sharp(photo).rotate().resize(width, height, { withoutEnlargement: true, kernel: 'cubic' });
    return formats.map((format) => encoders[format](pipeline.clone()).toBuffer());
  }));
}

async function round({ formats, photos: count, inFlight }) {
  let next = 0;
  const lane = async () => {
    while (next < count) await variants(photos[next++ % photos.length], formats);
  };
  const start = process.hrtime.bigint();
  await Promise.all(Array.from({ length: inFlight }, lane));
  return Number(process.hrtime.bigint() - start) / 1e9;
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify({ seconds: await round(JSON.parse(line)) }));
}
