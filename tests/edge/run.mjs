// Runs the gate under Node: reads lines of JSON {code?, items, event} and answers each with what the gate returned.
// `code` is remembered; the folder must hold cloudfront.mjs under node_modules/cloudfront.
import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';
import { state } from 'cloudfront';

let handler = null;
let number = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  if (asked.code) {
    number += 1;
    const file = new URL(`./gate-${number}.mjs`, import.meta.url);
    writeFileSync(file, `${asked.code}\nexport { handler };\n`);
    handler = (await import(file)).handler;
  }
  state.items = asked.items;
  state.custom = null;
  let answer;
  try {
    answer = { output: await handler(asked.event), custom: state.custom };
  } catch (error) {
    answer = { threw: String(error) };
  }
  console.log(JSON.stringify(answer));
}
