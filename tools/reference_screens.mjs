// SPDX-License-Identifier: Apache-2.0
// What xterm.js shows of the captured sessions in tests/data/terminal/, at the moments at which they were given keys or
// a size, and at their end: `npm install @xterm/headless@5.5.0 @xterm/addon-unicode11@0.8.0 && node
// tools/reference_screens.mjs` in the repository. Written
// to tests/data/screens/.
import fs from "node:fs";
import path from "node:path";
import xterm from "@xterm/headless";
import unicode11 from "@xterm/addon-unicode11";

const data = path.join(import.meta.dirname, "..", "tests", "data");
const folder = path.join(data, "terminal");
const about = "what @xterm/headless 5.5.0 shows, written by tools/reference_screens.mjs; step counts from 0";

async function screens(steps) {
  const terminal = new xterm.Terminal({ cols: 80, rows: 24, allowProposedApi: true });
  terminal.loadAddon(new unicode11.Unicode11Addon());
  terminal.unicode.activeVersion = "11"; // emoji are wide
  const found = [];
  const take = (step) => {
    const buffer = terminal.buffer.active;
    const lines = [];
    for (let row = 0; row < terminal.rows; row++) {
      lines.push(buffer.getLine(buffer.baseY + row)?.translateToString(true) ?? "");
    }
    found.push({ step, alternate: buffer.type === "alternate", lines });
  };
  for (const [step, [kind, first, second]] of steps.entries()) {
    if (kind === "out") {
      await new Promise((done) => terminal.write(Buffer.from(second, "base64"), done));
    } else {
      if (step > 0) take(step - 1);
      if (kind === "size") terminal.resize(first, second);
    }
  }
  take(steps.length - 1);
  return found;
}

for (const name of fs.readdirSync(folder).filter((name) => /^[a-z]+\.json$/.test(name))) {
  const { steps } = JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"));
  const found = (await screens(steps)).map((screen) => JSON.stringify(screen));
  const text = `{"about": ${JSON.stringify(about)}, "screens": [\n${found.join(",\n")}\n]}\n`;
  fs.writeFileSync(path.join(data, "screens", name), text);
}
