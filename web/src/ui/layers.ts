/**
 * Whether something stands over the page: a dialog, a sheet, a viewer, a menu. It owns the keyboard then; what lies behind it
 * does nothing until it is closed.
 */
export const isCovered = (): boolean => document.querySelector('[role=dialog],[role=alertdialog],[role=menu]') !== null;
