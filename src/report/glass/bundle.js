// A bundle: one training step as a header in JSON and the bytes of its tensors.
//
// All scripts of the glass box live in one global object, `Glass`. This file comes first and makes it.
"use strict";

globalThis.Glass = { views: {} };

(function (Glass) {
  const VIEWS = { f32: Float32Array, u16: Uint16Array, u32: Uint32Array };

  class Bundle {
    // `start` is where the tensors begin in `buffer`; a multiple of four, as every offset is.
    constructor(header, buffer, start = 0) {
      this.header = header;
      this.buffer = buffer;
      this.start = start;
      this.views = new Map();
    }

    has(name) {
      return name in this.header.tensors;
    }

    // The values of a tensor in C order, or null where the bundle does not carry it.
    tensor(name) {
      if (!this.has(name)) return null;
      if (!this.views.has(name)) {
        const { type, offset, length } = this.header.tensors[name];
        this.views.set(name, new VIEWS[type](this.buffer, this.start + offset, length));
      }
      return this.views.get(name);
    }

    shape(name) {
      return this.has(name) ? this.header.tensors[name].shape : null;
    }

    get classes() {
      return this.header.classes;
    }

    // The image that the tensors are of.
    get focus() {
      return this.header.images[this.header.focus];
    }
  }

  // The bundle of a page that holds its own: a script element with the header, one with the bytes in base64.
  function bundleOfPage(document) {
    const header = JSON.parse(document.getElementById("bundle").textContent);
    const text = atob(document.getElementById("bytes").textContent.trim());
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    return new Bundle(header, bytes.buffer);
  }

  // The bundle in one piece: the header's length in four bytes, the header, the tensors.
  function bundleOfBytes(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    return new Bundle(header, buffer, 4 + length);
  }

  Object.assign(Glass, { Bundle, bundleOfPage, bundleOfBytes });
})(Glass);
