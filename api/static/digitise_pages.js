// Pages of scans, in the browser alone: an image turned, images bound into one PDF, a PDF's pages counted.
"use strict";

window.scans = (() => {
  const LONGEST = 3508; // pixels: A4 at 300 dpi
  const A4 = [595, 842]; // points
  const IMAGES = new Set(["image/jpeg", "image/png", "image/webp"]);
  const COUNTED = 20e6; // bytes of a PDF that is read for the number of its pages

  const shows = (file) => IMAGES.has(file.type);

  async function drawn(file, turn, longest = Infinity) {
    const image = await createImageBitmap(file);
    const shrunk = Math.min(1, longest / Math.max(image.width, image.height));
    const [wide, high] = [Math.round(image.width * shrunk), Math.round(image.height * shrunk)];
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = turn % 180 ? [high, wide] : [wide, high];
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.translate(canvas.width / 2, canvas.height / 2);
    pen.rotate((turn * Math.PI) / 180);
    pen.drawImage(image, -wide / 2, -high / 2, wide, high);
    image.close();
    return canvas;
  }

  const blob = (canvas, type, quality) => new Promise((done, fail) => canvas.toBlob((made) => (made ? done(made) : fail(new Error(type))), type, quality));

  // Not turned it is sent as it came, so that its hash is the scanner's.
  async function turned(file, turn) {
    if (!turn) return file;
    const type = file.type === "image/png" ? "image/png" : "image/jpeg";
    const made = await blob(await drawn(file, turn), type, 0.92);
    return new File([made], named(file.name, type === "image/png" ? "png" : "jpg"), { type });
  }

  const named = (name, ending) => `${name.replace(/\.[^.]{1,5}$/, "")}.${ending}`;

  async function bound(pages) {
    const text = new TextEncoder(), parts = [], offsets = [];
    let at = 0;
    const put = (piece) => { const bytes = typeof piece === "string" ? text.encode(piece) : piece; parts.push(bytes); at += bytes.length; };
    const begin = (n) => { offsets[n] = at; put(`${n} 0 obj\n`); };
    put("%PDF-1.4\n%\u00e2\u00e3\n");
    begin(1); put("<< /Type /Catalog /Pages 2 0 R >>\nendobj\n");
    begin(2); put(`<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, n) => `${3 + 3 * n} 0 R`).join(" ")}] >>\nendobj\n`);
    for (const [n, { file, turn }] of pages.entries()) {
      const canvas = await drawn(file, turn, LONGEST);
      const [w, h] = canvas.width > canvas.height ? [A4[1], A4[0]] : A4;
      const scale = Math.min(w / canvas.width, h / canvas.height);
      const [iw, ih] = [canvas.width * scale, canvas.height * scale];
      const bytes = new Uint8Array(await (await blob(canvas, "image/jpeg", 0.9)).arrayBuffer());
      const draws = `q ${iw.toFixed(2)} 0 0 ${ih.toFixed(2)} ${((w - iw) / 2).toFixed(2)} ${((h - ih) / 2).toFixed(2)} cm /P Do Q`;
      const own = 3 + 3 * n;
      begin(own); put(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 ${w} ${h}] /Contents ${own + 1} 0 R /Resources << /XObject << /P ${own + 2} 0 R >> >> >>\nendobj\n`);
      begin(own + 1); put(`<< /Length ${draws.length} >>\nstream\n${draws}\nendstream\nendobj\n`);
      begin(own + 2); put(`<< /Type /XObject /Subtype /Image /Width ${canvas.width} /Height ${canvas.height} /ColorSpace /DeviceRGB /BitsPerComponent 8 /Filter /DCTDecode /Length ${bytes.length} >>\nstream\n`);
      put(bytes); put("\nendstream\nendobj\n");
    }
    const table = at;
    put(`xref\n0 ${offsets.length}\n0000000000 65535 f \n`);
    for (let n = 1; n < offsets.length; n++) put(`${String(offsets[n]).padStart(10, "0")} 00000 n \n`);
    put(`trailer\n<< /Size ${offsets.length} /Root 1 0 R >>\nstartxref\n${table}\n%%EOF\n`);
    return new File(parts, named(pages[0].file.name, "pdf"), { type: "application/pdf" });
  }

  async function pages(file) {
    if (file.type !== "application/pdf" || file.size > COUNTED) return 0;
    const text = new TextDecoder("latin1").decode(await file.arrayBuffer());
    const plain = (text.match(/\/Type\s*\/Page(?![A-Za-z])/g) || []).length;
    return plain || Math.max(0, ...[...text.matchAll(/\/Count\s+(\d{1,5})/g)].map((each) => Number(each[1])));
  }

  // By its first bytes: what is none of these is not sent whole to be refused.
  async function begins(file) {
    const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
    const text = String.fromCharCode(...head);
    return ["%PDF-", "\xff\xd8\xff", "\x89PNG", "II*\0", "MM\0*", "PK\x03\x04"].some((each) => text.startsWith(each)) || (text.startsWith("RIFF") && text.slice(8) === "WEBP");
  }

  return { shows, turned, bound, pages, begins };
})();
