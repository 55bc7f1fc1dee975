// What lies under a kernel or a window: positions of the output to pixels of the input, and back.
"use strict";

(function (Glass) {
  // Height and width, stride, dilation and padding (rows above, columns to the left) of a layer that slides; null
  // of others.
  function windowOf(layer) {
    const size = layer.kernel || layer.window;
    return size ? { size, stride: layer.stride, dilation: layer.dilation || [1, 1], pad: layer.pad } : null;
  }

  // The pixel under cell [ky, kx] when the window stands at position [y, x]; null in the padding.
  function pixel(layer, [y, x], [ky, kx]) {
    const { stride, dilation, pad } = windowOf(layer);
    const row = y * stride[0] + ky * dilation[0] - pad[0];
    const column = x * stride[1] + kx * dilation[1] - pad[1];
    const inside = row >= 0 && row < layer.in[0] && column >= 0 && column < layer.in[1];
    return inside ? [row, column] : null;
  }

  // The cells of the window, row by row.
  function cells(layer) {
    const [height, width] = windowOf(layer).size;
    return Array.from({ length: height * width }, (_, cell) => [Math.floor(cell / width), cell % width]);
  }

  // Where along one axis the window stands when its cell lies on the pixel; −1 where it cannot.
  function standing(at, cell, stride, dilation, pad, positions) {
    const fromEdge = at + pad - cell * dilation;
    const position = fromEdge / stride;
    return fromEdge >= 0 && Number.isInteger(position) && position < positions ? position : -1;
  }

  // The positions whose window covers a pixel, each with the cell that lies on it.
  function covering(layer, [row, column]) {
    const { size, stride, dilation, pad } = windowOf(layer);
    const found = [];
    for (let ky = 0; ky < size[0]; ky++) {
      const y = standing(row, ky, stride[0], dilation[0], pad[0], layer.out[0]);
      if (y < 0) continue;
      for (let kx = 0; kx < size[1]; kx++) {
        const x = standing(column, kx, stride[1], dilation[1], pad[1], layer.out[1]);
        if (x >= 0) found.push({ position: [y, x], cell: [ky, kx] });
      }
    }
    return found;
  }

  Object.assign(Glass, { windowOf, pixel, cells, covering });
})(Glass);
