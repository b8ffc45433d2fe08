const BROWSERS: [RegExp, string][] = [
  [/MicroMessenger/, 'WeChat'],
  [/Edg\//, 'Edge'],
  [/Firefox\//, 'Firefox'],
  [/Chrome\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/iPhone/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'Mac'],
  [/Linux/, 'Linux'],
];

/** What a person calls a device, from the name a client gave or the browser's own description of itself. */
export function deviceName(device: string | null | undefined): string | undefined {
  if (!device) return undefined;
  const of = (table: [RegExp, string][]) => table.find(([pattern]) => pattern.test(device))?.[1];
  if (!/Mozilla\//.test(device)) return device;
  const parts = [of(BROWSERS), of(SYSTEMS)].filter(Boolean);
  return parts.length > 0 ? parts.join(' · ') : undefined;
}
