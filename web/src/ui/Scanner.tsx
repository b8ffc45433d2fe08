import { useEffect, useRef, useState } from 'react';
import { readFrame } from './decode';
import styles from './Scanner.module.css';

export type CameraState = 'asking' | 'on' | 'refused' | 'none';

/** Between two looks: several times a second, and the phone stays cool. */
const EVERY_MS = 160;

/** Whether this page may ask for a camera at all: plain http and old web views may not. */
export const mayAskCamera = (): boolean => Boolean(globalThis.isSecureContext && navigator.mediaDevices?.getUserMedia);

/** The camera's picture, looked at until it holds a code. The camera goes off with this, and while the page is hidden. */
export function Scanner({
  label,
  onFound,
  onState,
}: {
  label: string;
  onFound: (text: string) => void;
  onState: (state: CameraState) => void;
}) {
  const video = useRef<HTMLVideoElement>(null);
  const [away, setAway] = useState(document.hidden);
  const tell = useRef({ onFound, onState });
  tell.current = { onFound, onState };
  useEffect(() => {
    const look = () => setAway(document.hidden);
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  useEffect(() => {
    if (away) return;
    let left = false;
    let stream: MediaStream | undefined;
    let timer: ReturnType<typeof setTimeout>;
    const stop = () => {
      for (const track of stream?.getTracks() ?? []) track.stop();
    };
    const look = async () => {
      const text = video.current ? await readFrame(video.current).catch(() => undefined) : undefined;
      if (left) return;
      if (text) tell.current.onFound(text);
      else timer = setTimeout(look, EVERY_MS);
    };
    const begin = async () => {
      tell.current.onState('asking');
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' }, audio: false });
        if (left) return stop();
        if (!video.current) return;
        video.current.srcObject = stream;
        await video.current.play();
        tell.current.onState('on');
        await look();
      } catch (error) {
        if (!left)
          tell.current.onState(error instanceof DOMException && error.name === 'NotAllowedError' ? 'refused' : 'none');
      }
    };
    void begin();
    return () => {
      left = true;
      clearTimeout(timer);
      stop();
    };
  }, [away]);
  return (
    <div className={styles.finder}>
      <video ref={video} className={styles.video} playsInline muted aria-label={label} />
      <span className={styles.frame} aria-hidden />
    </div>
  );
}
