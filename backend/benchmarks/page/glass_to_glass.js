// Runs in every frame of a page, before its own scripts. Where the camera is opened, it notes
// with every drawn frame which pictures the camera and the page's video show.
(() => {
  const CELLS = 16;
  const canvas = new OffscreenCanvas(4 * CELLS, 4);
  const context = canvas.getContext("2d", { willReadFrequently: true });

  // The number in the cells along the lower edge; null if they can't be read.
  const readNumber = (video) => {
    const { videoWidth: width, videoHeight: height } = video;
    if (!width) return null;
    context.drawImage(video, 0, (height * 14) / 15, width, height / 15, 0, 0, 4 * CELLS, 4);
    const { data } = context.getImageData(0, 0, 4 * CELLS, 4);
    let bits = 0;
    for (let cell = 0; cell < CELLS; cell++) {
      const green = (row, column) => data[4 * (row * 4 * CELLS + 4 * cell + column) + 1];
      const sum = green(1, 1) + green(1, 2) + green(2, 1) + green(2, 2);
      bits = 2 * bits + (sum > 4 * 127 ? 1 : 0);
    }
    const number = bits >> 6;
    return (bits & 63) === (((number ^ (number >> 4)) & 63) ^ 42) ? number : null;
  };

  const watch = (stream) => {
    const samples = (window.glassToGlass = []);
    const camera = document.createElement("video");
    Object.assign(camera, { srcObject: stream, muted: true, playsInline: true });
    camera.play();
    const sample = (now) => {
      const shown = [...document.querySelectorAll("video")].find(
        (video) => video.srcObject && video.srcObject !== stream
      );
      if (shown?.videoWidth) samples.push([now, readNumber(camera), readNumber(shown)]);
      if (stream.active) requestAnimationFrame(sample);
    };
    requestAnimationFrame(sample);
  };

  const devices = navigator.mediaDevices;
  const open = devices?.getUserMedia.bind(devices);
  if (open) {
    devices.getUserMedia = async (constraints) => {
      const stream = await open(constraints);
      watch(stream);
      return stream;
    };
  }
})();
