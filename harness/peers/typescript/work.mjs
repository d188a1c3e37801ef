// What the two tools do, and their shapes: the same for both generations of the SDK.
import { z } from "zod";

export const echo = { text: z.string() };
export const stats = { values: z.array(z.number()).min(1) };
export const summary = {
  count: z.number().int(),
  sum: z.number(),
  mean: z.number(),
  min: z.number(),
  max: z.number(),
  sd: z.number(),
};

export function summarise(values) {
  const count = values.length;
  let sum = 0;
  let min = values[0];
  let max = values[0];
  for (const value of values) {
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const mean = sum / count;
  let squares = 0;
  for (const value of values) squares += (value - mean) * (value - mean);
  const sd = count > 1 ? Math.sqrt(squares / (count - 1)) : 0;
  return { count, sum, mean, min, max, sd };
}

export function echoed({ text }) {
  return { content: [{ type: "text", text }] };
}

export function summarised({ values }) {
  const structuredContent = summarise(values);
  return { content: [{ type: "text", text: JSON.stringify(structuredContent) }], structuredContent };
}
