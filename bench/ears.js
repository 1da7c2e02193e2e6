// Put into a page before its own script by bench/sound.py and bench/kills.py: notes when a sound begins, at the
// microphone and at the ear, and when it ends there.
// Moments are milliseconds of the system's clock, so that those of two browsers on one machine can be compared.
(() => {
  const LOUD = 0.02; // of full scale
  const QUIET = 0.4; // seconds without anything louder, after which the next sound is a beginning
  const EARS = `registerProcessor("ears", class extends AudioWorkletProcessor {
    silent = Infinity;
    process([[samples]]) {
      const before = this.silent;
      const loud = Boolean(samples?.some((sample) => Math.abs(sample) > ${LOUD}));
      this.silent = loud ? 0 : before + 128 / sampleRate;
      if (loud && before > ${QUIET}) this.port.postMessage({ begins: Date.now() });
      if (before <= ${QUIET} && this.silent > ${QUIET}) this.port.postMessage({ ends: Date.now() - ${QUIET} * 1000 });
      return true;
    }
  });`;
  const bench = (window.bench = { spoken: [], heard: [], ended: [], clicked: null, player: null, kept: [] });
  if (!window.AudioWorkletNode) return; // about:blank
  const context = new AudioContext({ latencyHint: "interactive" });
  const ready = context.audioWorklet.addModule(URL.createObjectURL(new Blob([EARS], { type: "text/javascript" })));

  async function note(stream, moments) {
    await ready;
    const ears = new AudioWorkletNode(context, "ears");
    ears.port.onmessage = ({ data }) => (data.begins ? moments : bench.ended).push(data.begins ?? data.ends);
    const nothing = new GainNode(context, { gain: 0 });
    const source = context.createMediaStreamSource(stream);
    source.connect(ears).connect(nothing).connect(context.destination);
    bench.kept.push(stream, source, ears); // else they are collected as garbage and hear no more
    context.resume();
  }

  // Chromium hands an element's sound to the last of its captured streams only: the page and the ears share one.
  const captured = new WeakMap();
  const capture = HTMLMediaElement.prototype.captureStream;
  HTMLMediaElement.prototype.captureStream = function () {
    if (!captured.has(this)) captured.set(this, capture.call(this));
    return captured.get(this);
  };

  const tapped = new Set();
  function tap(element) {
    const stream = element.srcObject ?? element.captureStream();
    const begin = () => {
      for (const track of stream.getAudioTracks()) {
        if (tapped.has(track)) continue;
        tapped.add(track);
        note(new MediaStream([track]), bench.heard);
      }
    };
    stream.addEventListener("addtrack", begin);
    bench.kept.push(stream);
    begin();
  }

  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    if (this.matches("[data-sound]")) tap(this);
    return play.call(this);
  };

  const microphone = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await microphone(wanted);
    note(stream.clone(), bench.spoken);
    return stream;
  };

  const clicked = (event) => {
    bench.clicked ??= performance.timeOrigin + event.timeStamp;
    context.resume();
  };
  document.addEventListener("click", clicked, true);

  /** hls.js is the page's own business; its player says how late it is, once it is known here. */
  bench.watchPlayer = async () => {
    const { default: Hls } = await import("hls");
    const attach = Hls.prototype.attachMedia;
    Hls.prototype.attachMedia = function (...given) {
      bench.player = this;
      return attach.apply(this, given);
    };
  };

  /** The plain way: this page's microphone through two connections of this page. */
  bench.loop = async (audio) => {
    const [here, there] = [new RTCPeerConnection(), new RTCPeerConnection()];
    here.onicecandidate = ({ candidate }) => there.addIceCandidate(candidate);
    there.onicecandidate = ({ candidate }) => here.addIceCandidate(candidate);
    there.ontrack = ({ track }) => {
      const element = document.createElement("audio");
      element.dataset.sound = "";
      element.srcObject = new MediaStream([track]);
      document.body.append(element);
      element.play();
    };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    stream.getTracks().forEach((track) => here.addTrack(track, stream));
    await here.setLocalDescription(await here.createOffer());
    await there.setRemoteDescription(here.localDescription);
    await there.setLocalDescription(await there.createAnswer());
    await here.setRemoteDescription(there.localDescription);
  };
})();
